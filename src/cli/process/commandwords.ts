/** What shows on the command line what a route shows. */
const COMMANDS: Record<string, string> = {
  "GET /ready": "llmlb status",
  "GET /v1/models": "llmlb status",
  "GET /api/models": "llmlb model list",
  "GET /api/endpoints": "llmlb endpoint list",
  "GET /api/enrolment-tokens": "llmlb endpoint tokens",
};

/** Servers name in their errors the route to look at; whoever uses commands is told the command. */
export function inCommands(message: string): string {
  return message.replace(/\b([Ss]ee) ([A-Z]+ \/[\w/-]+)/g, (said, see, route) =>
    Object.hasOwn(COMMANDS, route) ? `${see} ${COMMANDS[route]}` : said,
  );
}
