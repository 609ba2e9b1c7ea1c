import type { Command } from "commander";
import { ROLES } from "../../wire/permission.ts";
import {
  addClientCommand,
  type ClientFlags,
  connect,
  loadClient,
  type ServerFlags,
} from "../client/options.ts";
import type { Invocation } from "../invocation.ts";
import { parseSeconds } from "../options/flagvalues.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { secretFromStdin } from "../terminal/secret.ts";
import type { KeyFlags } from "./keys.ts";
import { addLimitFlags, type LimitFlags, limitsOf } from "./limitflags.ts";

const KEY_EXAMPLES = `
Examples:
  llmlb key add laptop                                a key that may use all models
  llmlb key add ci --user eve --expires 90d --models 'qwen*,llama*'
  llmlb key add team --tokens-per-day 1000000 --concurrent 4 --priority low
  llmlb key list
  llmlb key set ci --models all --concurrent none     what is not given stays
  llmlb key rotate ci                                 another text, the old one is refused
  llmlb key revoke ci`;

const USER_EXAMPLES = `
Examples:
  llmlb user add eve                                  a viewer, with a password made up
  llmlb user add ada --role admin --password -        the password on standard input
  llmlb user set eve --cost-per-month 50
  llmlb user passwd eve                               another password, made up
  llmlb user disable eve                              shut out with his keys, until enabled
  llmlb user rm eve`;

/** Adds `llmlb key`, `llmlb user` and their commands, `invite`, `login` and `logout`. */
export function addAccountCommands(program: Command, invocation: Invocation): void {
  addKeyCommands(program, invocation);
  addUserCommands(program, invocation);
  addInviteCommand(program, invocation);
  addLoginCommands(program, invocation);
}

function groupOf(program: Command, name: string, description: string, examples: string): Command {
  return program
    .command(name)
    .helpGroup("Look after:")
    .usage("<command> [options]")
    .description(description)
    .helpCommand(false)
    .addHelpText("after", examples);
}

function addKeyCommands(program: Command, invocation: Invocation): void {
  const group = groupOf(program, "key", "Manage the API keys of a running llmlb", KEY_EXAMPLES);
  const add = addClientCommand(group, "add", "Make a key; it is shown once")
    .argument("<name>", "What it is for")
    .option("--user <user>", "Whose it is (default: who makes it)");
  addKeyFlags(add).action(async (name: string, flags: KeyFlags & ClientFlags & UserFlag) => {
    const { addKey, keyBody } = await import("./keys.ts");
    const { user } = flags;
    const body = { ...keyBody(flags), name, ...(user !== undefined && { user }) };
    invocation.exitCode = await addKey(connect(flags), body);
  });
  addClientCommand(group, "list", "Show the keys there are")
    .option("--user <user>", "Only his")
    .action(async (flags: ClientFlags & UserFlag) => {
      const { listKeys } = await import("./keys.ts");
      invocation.exitCode = await listKeys(connect(flags), flags.user);
    });
  const set = addClientCommand(group, "set", "Change a key; what is not given stays")
    .argument("<key>", "Its name, id or beginning")
    .option("--name <name>", "Another name");
  addKeyFlags(set).action(async (which: string, flags: KeyFlags & ClientFlags) => {
    const { changeKey, keyBody } = await import("./keys.ts");
    const body = requireChange(keyBody(flags), "llmlb key set");
    invocation.exitCode = await changeKey(connect(flags), which, body);
  });
  const single = [
    ["show", "Show one key, without its text", "showKey"],
    ["rotate", "Give a key another text; the old one is refused at once", "rotateKey"],
    ["revoke", "Refuse a key from now on", "revokeKey"],
    ["rm", "Remove a key for good", "removeKey"],
  ] as const;
  for (const [name, description, run] of single) {
    addClientCommand(group, name, description)
      .argument("<key>", "Its name, id or beginning")
      .action(async (which: string, flags: ClientFlags) => {
        const commands = await import("./keys.ts");
        invocation.exitCode = await commands[run](connect(flags), which);
      });
  }
}

interface UserFlag {
  user?: string;
}

function addKeyFlags(command: Command): Command {
  command
    .option("--permissions <list>", "What it may do (default: openai.inference,openai.models.read)")
    .option("--models <list>", "Models that it may use, with * for any characters; all: every one")
    .option("--expires <time>", "When it ends: 90d, 2030-01-31, never (default)")
    .option("--notes <text>", "Anything to remember");
  return addLimitFlags(command);
}

interface UserFlags extends LimitFlags {
  name?: string;
  role?: string;
  password?: string;
}

function addUserCommands(program: Command, invocation: Invocation): void {
  const group = groupOf(program, "user", "Manage the users of a running llmlb", USER_EXAMPLES);
  const add = addClientCommand(group, "add", "Add a user").argument("<name>", "His name");
  addUserFlags(add).action(async (username: string, flags: UserFlags & ClientFlags) => {
    const { addUser } = await import("./users.ts");
    invocation.exitCode = await addUser(connect(flags), { ...(await userBody(flags)), username });
  });
  addClientCommand(group, "list", "Show all users").action(async (flags: ClientFlags) => {
    const { listUsers } = await import("./users.ts");
    invocation.exitCode = await listUsers(connect(flags));
  });
  const set = addClientCommand(group, "set", "Change a user; what is not given stays")
    .argument("<user>", "His name or id")
    .option("--name <name>", "Another name");
  addUserFlags(set).action(async (which: string, flags: UserFlags & ClientFlags) => {
    const { changeUser } = await import("./users.ts");
    const body = requireChange(await userBody(flags), "llmlb user set");
    invocation.exitCode = await changeUser(connect(flags), which, body);
  });
  addClientCommand(group, "passwd", "Give a user another password, made up if none is given")
    .argument("<user>", "His name or id")
    .option("--password <password>", "The password; - reads it from standard input")
    .action(async (which: string, flags: UserFlags & ClientFlags) => {
      const { changeUser } = await import("./users.ts");
      const { password = null } = await userBody(flags);
      invocation.exitCode = await changeUser(connect(flags), which, { password });
    });
  const doors = [
    ["disable", "Let neither a user nor his keys in, until he is enabled", true],
    ["enable", "Let a user and his keys in again", false],
  ] as const;
  for (const [name, description, disabled] of doors) {
    addClientCommand(group, name, description)
      .argument("<user>", "His name or id")
      .action(async (which: string, flags: ClientFlags) => {
        const { changeUser } = await import("./users.ts");
        invocation.exitCode = await changeUser(connect(flags), which, { disabled });
      });
  }
  addClientCommand(group, "rm", "Remove a user and his keys")
    .argument("<user>", "His name or id")
    .action(async (which: string, flags: ClientFlags) => {
      const { removeUser } = await import("./users.ts");
      invocation.exitCode = await removeUser(connect(flags), which);
    });
}

interface InviteFlags extends ClientFlags {
  role?: string;
  expires?: string;
  note?: string;
  list?: true;
  revoke?: string;
}

function addInviteCommand(program: Command, invocation: Invocation): void {
  addClientCommand(program, "invite", "Let somebody make an account: prints a code for one person")
    .helpGroup("Look after:")
    .option("--role <role>", "viewer (default): uses models; admin: everything")
    .option("--expires <time>", "How long it can be used (default 3d)")
    .option("--note <text>", "Whom it is for")
    .option("--list", "Show the invitations there are")
    .option("--revoke <id>", "Make one useless")
    .action(async (flags: InviteFlags) => {
      const commands = await import("./invitations.ts");
      const { role, expires, note, list, revoke } = flags;
      if (list) invocation.exitCode = await commands.listInvitations(connect(flags));
      else if (revoke !== undefined) {
        invocation.exitCode = await commands.revokeInvitation(connect(flags), revoke);
      } else {
        const seconds = expires === undefined ? undefined : parseSeconds("--expires", expires);
        const body = {
          ...(role !== undefined && { role }),
          ...(note !== undefined && { note }),
          ...(seconds !== undefined && { expires_in_hours: seconds / 3600 }),
        };
        invocation.exitCode = await commands.invite(connect(flags), body);
      }
    });
}

function addLoginCommands(program: Command, invocation: Invocation): void {
  const home = ["--home <folder>", "Data folder (~/.llmlb) [LLMLB_HOME]"] as const;
  program
    .command("login")
    .helpGroup("Look after:")
    .description("Keep the key for a llmlb elsewhere, for the commands of this home")
    .argument("<url>", "Where it is, e.g. https://llm.example.com")
    .option("--api-key <key>", "The key; without it standard input is read [LLMLB_API_KEY]")
    .option(...home)
    .action(async (url: string, flags: ServerFlags) => {
      const { login } = await import("./login.ts");
      const { client, settings } = loadClient({ ...flags, url });
      const apiKey = client.apiKey ?? (await secretFromStdin("--api-key", "Key"));
      invocation.exitCode = await login(settings.home, { url: client.url ?? url, apiKey });
    });
  program
    .command("logout")
    .helpGroup("Look after:")
    .description("Forget the key of llmlb login")
    .option(...home)
    .action(async (flags: ServerFlags) => {
      const { logout } = await import("./login.ts");
      invocation.exitCode = logout(loadClient(flags).settings.home);
    });
}

function addUserFlags(command: Command): Command {
  command
    .option("--role <role>", "viewer (default): uses models; admin: everything")
    .option("--password <password>", "His password; - reads it from standard input");
  return addLimitFlags(command);
}

async function userBody(flags: UserFlags) {
  const { name, role, password } = flags;
  if (role !== undefined && !ROLES.some((one) => one === role)) {
    throw new CliError(`--role ${role}: must be one of ${ROLES.join(", ")}`, EXIT.usage);
  }
  const limits = limitsOf(flags);
  const secret = password === "-" ? await secretFromStdin("--password", "Password") : password;
  return {
    ...(name !== undefined && { username: name }),
    ...(role !== undefined && { role }),
    ...(secret !== undefined && { password: secret }),
    ...(limits !== undefined && { limits }),
  };
}

function requireChange<T extends object>(body: T, command: string): T {
  if (Object.keys(body).length > 0) return body;
  throw new CliError(`Nothing to change was given: see ${command} --help.`, EXIT.usage);
}
