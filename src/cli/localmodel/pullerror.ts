import { environment } from "../../config/environment.ts";
import { hubLoginFile } from "../../config/hublogin.ts";
import { HubError } from "../../registry/huberror.ts";
import { parseReference } from "../../registry/reference.ts";
import { PullError } from "../../storage/pull/error.ts";
import { ApiError } from "../../wire/error.ts";
import { CliError, EXIT } from "../process/exit.ts";

interface PullErrorContext {
  /** The model, as the person named it. */
  reference: string;
  hubUrl: string;
  hasToken: boolean;
}

/** An error of a pull as a `CliError` with advice; unexpected errors are returned unchanged. */
export function explainPullError(error: unknown, context: PullErrorContext): unknown {
  if (error instanceof ApiError && error.cause instanceof HubError) {
    return explainHubError(error.cause, error, context);
  }
  if (error instanceof PullError && error.failure === "unauthorized") {
    const message = `${context.reference} is gated, or private, and its files were refused.`;
    return new CliError(`${message}\n${accessAdvice(context)}`, EXIT.error, error);
  }
  if (!(error instanceof ApiError)) return error;
  // The messages are those of the registry API, whose fields are flags here.
  const message = error.message
    .replace(/^Choosing the model's files failed: /, `${context.reference} cannot be pulled: `)
    .replace("The request is invalid: `repo` ", "")
    .replace("The request is invalid: `filename`", "The file")
    .replace("specify filename", "name one with --file");
  return new CliError(message, EXIT.error, error);
}

function explainHubError(cause: HubError, error: ApiError, context: PullErrorContext): CliError {
  const { reference, hubUrl, hasToken } = context;
  const said = cause.message === "" ? "" : ` It says: ${JSON.stringify(cause.message)}.`;
  const cliError = (text: string, code: 1 | 3 = EXIT.error) => new CliError(text, code, cause);
  switch (cause.failure) {
    case "repo": {
      const isPrivate = hasToken
        ? "If it is private, the account of HF_TOKEN must be let in."
        : "If it is private, set HF_TOKEN to a token of an account that may see it";
      const login = hasToken ? "" : `${loginAdvice()}.`;
      const advice = `Check its spelling. ${isPrivate}${login}`;
      return cliError(`${reference} is not at ${hubUrl}. ${advice}`);
    }
    case "gated":
      return cliError(`${reference} is gated.${said}\n${accessAdvice(context)}`);
    case "token":
      return cliError(
        `${hubUrl} does not accept HF_TOKEN. Set a valid one, or none for what is public.${said}`,
      );
    case "refused": {
      const advice = hasToken ? "\nThe permissions of HF_TOKEN may be too few." : "";
      return cliError(`${hubUrl} does not give ${reference}: ${cause.message}${advice}`);
    }
    case "rate_limited":
      return cliError(`${error.message} Nothing was fetched.`);
    case "origin":
      return cliError(error.message);
    case "unreachable":
      return cliError(
        `Asking ${hubUrl} about ${reference} failed: ${cause.message}\n\
Check the network, and HF_ENDPOINT if the hub is another.`,
        EXIT.unreachable,
      );
    case "revision":
      return cliError(`${reference}: the repository has no such branch, tag or commit.`);
    case "too_large":
      return cliError(`${reference}: ${cause.message}`);
    case "file":
      return cliError(`${reference}: the repository has no such file.`);
  }
}

function accessAdvice({ reference, hubUrl, hasToken }: PullErrorContext): string {
  const { repo } = parseReference(reference, hubUrl);
  const token = hasToken
    ? "The account of HF_TOKEN has no access yet."
    : `No HF_TOKEN is set${loginAdvice()}.`;
  return `${token} Accept the licence at ${hubUrl}/${repo}, make a token there (Settings, Access \
Tokens), and pull again with HF_TOKEN=hf_… set.`;
}

/** Where the token of a login lies that the hub's own tools would use, as the end of a sentence. */
function loginAdvice(): string {
  const file = hubLoginFile(environment());
  return file === undefined ? "" : `; that of an earlier login is in ${file}`;
}
