import { HubError } from "../../registry/huberror.ts";
import { parseReference } from "../../registry/reference.ts";
import { PullError } from "../../storage/pull/error.ts";
import { ApiError } from "../../wire/error.ts";
import { CliError, EXIT } from "../process/exit.ts";

export interface PullErrorContext {
  /** As it was asked for. */
  reference: string;
  hubUrl: string;
  hasToken: boolean;
}

/** What a person is told of a model that could not be fetched; other errors stay as they are. */
export function explainPullError(error: unknown, failed: PullErrorContext): unknown {
  if (error instanceof ApiError && error.cause instanceof HubError) {
    return hubFailure(error.cause, error, failed);
  }
  if (error instanceof PullError && error.failure === "unauthorized") {
    const message = `${failed.reference} is gated, or private, and its files were refused.`;
    return new CliError(`${message}\n${access(failed)}`, EXIT.error, error);
  }
  if (!(error instanceof ApiError)) return error;
  // Registering and pulling look at a repository in the same way.
  const message = error.message
    .replace(/^Choosing the model's files failed: /, `${failed.reference} cannot be pulled: `)
    .replace("The request is invalid: `repo` ", "")
    .replace("The request is invalid: `filename`", "The file")
    .replace("specify filename", "name one with --file");
  return new CliError(message, EXIT.error, error);
}

function hubFailure(cause: HubError, error: ApiError, failed: PullErrorContext): CliError {
  const { reference, hubUrl, hasToken } = failed;
  const tell = (text: string, code: 1 | 3 = EXIT.error) => new CliError(text, code, cause);
  switch (cause.failure) {
    case "repo": {
      const isPrivate = hasToken
        ? "If it is private, the account of HF_TOKEN must be let in."
        : "If it is private, set HF_TOKEN to a token of an account that may see it.";
      return tell(`${reference} is not at ${hubUrl}. Check its spelling. ${isPrivate}`);
    }
    case "gated":
      return tell(`${reference} is gated.\n${access(failed)}`);
    case "token":
      return tell(
        `${hubUrl} does not accept HF_TOKEN. Set a valid one, or none for what is public.`,
      );
    case "rate_limited":
      return tell(`${error.message} Nothing was fetched.`);
    case "unreachable":
      return tell(
        `Asking ${hubUrl} about ${reference} failed: ${cause.message}\n\
Check the network, and HF_ENDPOINT if the hub is another.`,
        EXIT.unreachable,
      );
    case "revision":
      return tell(`${reference}: the repository has no such branch, tag or commit.`);
    case "too_large":
      return tell(`${reference}: ${cause.message}`);
    case "file":
      return tell(`${reference}: the repository has no such file.`);
  }
}

function access({ reference, hubUrl, hasToken }: PullErrorContext): string {
  const { repo } = parseReference(reference, hubUrl);
  const token = hasToken ? "The account of HF_TOKEN has no access yet." : "No HF_TOKEN is set.";
  return `${token} Accept the licence at ${hubUrl}/${repo}, make a token there (Settings, Access \
Tokens), and pull again with HF_TOKEN=hf_… set.`;
}
