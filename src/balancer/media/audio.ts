/** Names of the containers that are taken, as errors say them. */
export const AUDIO_NAMES = "wav, mp3, flac, ogg, m4a or webm";

/** Extensions of files with one of those in them. */
const EXTENSION = /\.(?:wav|wave|mp3|mpga|mpeg|flac|ogg|oga|opus|m4a|mp4|webm)$/i;

/** What WebM and Matroska begin with. */
const EBML = "\x1aE\xdf\xa3";

/** Bytes that say what a file is. */
const HEAD_BYTES = 12;

/**
 * Whether a file is one that speech can be in: by its first bytes, or by its name where they say
 * nothing, as those of an MP3 without tags may. Undefined as long as too few bytes have come.
 */
export function isAudio(head: Buffer, filename: string, whole: boolean): boolean | undefined {
  if (EXTENSION.test(filename)) return true;
  if (head.length < HEAD_BYTES && !whole) return undefined;
  const text = head.toString("latin1", 0, HEAD_BYTES);
  if (/^RIFF[\s\S]{4}WAVE|^fLaC|^OggS|^ID3|^[\s\S]{4}ftyp/.test(text)) return true;
  if (text.startsWith(EBML)) return true;
  // A frame of MPEG audio: eleven bits set, then a version that there is, and layer III.
  const [first = 0, second = 0] = head;
  return first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x18) !== 8 && (second & 6) === 2;
}
