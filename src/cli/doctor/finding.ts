/** The result of one check of `llmlb doctor`. */
export interface Finding {
  /** What was checked. */
  subject: string;
  state: "ok" | "note" | "problem";
  text: string;
  /** Printed below `text`, a line each. */
  details?: string[];
}
