/** The accepted containers, as errors list them. */
export const AUDIO_NAMES = "wav, mp3, flac, ogg, m4a or webm";

/** File extensions of these containers. */
const EXTENSION = /\.(?:wav|wave|mp3|mpga|mpeg|flac|ogg|oga|opus|m4a|mp4|webm)$/i;

/** The first bytes of WebM and Matroska. */
const EBML = "\x1aE\xdf\xa3";

/** Bytes that are needed to tell a file's type. */
const HEAD_BYTES = 12;

/**
 * Whether a file is audio: by its extension, else by its first bytes. Undefined until enough bytes
 * have arrived; `whole` says that there will be no more.
 */
export function isAudio(head: Buffer, filename: string, whole: boolean): boolean | undefined {
  if (EXTENSION.test(filename)) return true;
  if (head.length < HEAD_BYTES && !whole) return undefined;
  const text = head.toString("latin1", 0, HEAD_BYTES);
  if (/^RIFF[\s\S]{4}WAVE|^fLaC|^OggS|^ID3|^[\s\S]{4}ftyp/.test(text)) return true;
  if (text.startsWith(EBML)) return true;
  // A frame of MPEG audio: eleven bits set, a valid version, and layer III.
  const [first = 0, second = 0] = head;
  return first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x18) !== 8 && (second & 6) === 2;
}
