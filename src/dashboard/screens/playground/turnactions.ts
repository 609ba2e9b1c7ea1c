/** What can be done in a conversation, at a turn. */
export interface TurnActions {
  say(at: number, text: string): void;
  regenerate(at: number, lane: number): void;
  giveResult(at: number, lane: number, callId: string, result: string): void;
  /** What is proposed as the result of a tool. */
  proposalOf(tool: string): string;
}
