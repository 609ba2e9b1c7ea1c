/** What a client is to use. */
export interface LaunchTarget {
  /** Base URL of llmlb, without `/v1`. */
  url: string;
  /** What it sends as its key; most clients want some, even where none is asked for. */
  key: string;
  model: string;
}

/** A program that speaks to models, and how it is told to speak to llmlb. */
export interface Client {
  title: string;
  /** How it is installed; it is told where it is missing. */
  install: string;
  variables(target: LaunchTarget): Record<string, string>;
  /** Variables that would win over these, or cost money elsewhere. */
  unset?: readonly string[];
  /** Arguments before those that are given. */
  arguments?(target: LaunchTarget): string[];
}

/**
 * The clients by the names of their programs. Sources: the clients' own documentation of their
 * variables (code.claude.com/docs/en/env-vars, Codex's and opencode's configuration, aider's
 * options, goose's and Qwen Code's environment variables).
 */
export const CLIENTS: Readonly<Record<string, Client>> = {
  claude: {
    title: "Claude Code",
    install: "npm install -g @anthropic-ai/claude-code",
    variables: ({ url, key, model }) => ({
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: key,
      ANTHROPIC_MODEL: model,
      // Whatever part of it asks: all ask the one model.
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      CLAUDE_CODE_SUBAGENT_MODEL: model,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      // A line that changes with each request, before all else, would spoil every cached prompt.
      CLAUDE_CODE_ATTRIBUTION_HEADER: "0",
    }),
    unset: ["ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"],
  },
  codex: {
    title: "Codex",
    install: "npm install -g @openai/codex",
    variables: ({ key }) => ({ OPENAI_API_KEY: key }),
    arguments: ({ url, model }) => [
      ...["-c", 'model_provider="llmlb"'],
      ...["-c", 'model_providers.llmlb.name="llmlb"'],
      ...["-c", `model_providers.llmlb.base_url=${JSON.stringify(`${url}/v1`)}`],
      ...["-c", 'model_providers.llmlb.env_key="OPENAI_API_KEY"'],
      ...["-c", 'model_providers.llmlb.wire_api="responses"'],
      ...["-c", `model=${JSON.stringify(model)}`],
    ],
  },
  opencode: {
    title: "opencode",
    install: "npm install -g opencode-ai",
    variables: ({ url, key, model }) => ({
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        provider: {
          llmlb: {
            npm: "@ai-sdk/openai-compatible",
            name: "llmlb",
            options: { baseURL: `${url}/v1`, apiKey: key },
            models: { [model]: { name: model } },
          },
        },
        model: `llmlb/${model}`,
        small_model: `llmlb/${model}`,
      }),
    }),
  },
  qwen: {
    title: "Qwen Code",
    install: "npm install -g @qwen-code/qwen-code",
    variables: (target) => ({ ...openAi(target), OPENAI_MODEL: target.model }),
    arguments: () => ["--auth-type", "openai"],
  },
  aider: {
    title: "aider",
    install: "pipx install aider-chat",
    variables: (target) => ({ ...openAi(target), AIDER_MODEL: `openai/${target.model}` }),
  },
  goose: {
    title: "goose",
    install: "see block.github.io/goose",
    variables: ({ url, key, model }) => ({
      GOOSE_PROVIDER: "openai",
      GOOSE_MODEL: model,
      OPENAI_HOST: url,
      OPENAI_BASE_PATH: "v1/chat/completions",
      OPENAI_API_KEY: key,
    }),
  },
};

/** Any other program, by the variables that the official packages and most tools read. */
export function otherClient(program: string): Client {
  return {
    title: program,
    install: "with whatever it comes from",
    variables: (target) => ({
      ...openAi(target),
      OPENAI_MODEL: target.model,
      ANTHROPIC_BASE_URL: target.url,
      ANTHROPIC_AUTH_TOKEN: target.key,
      ANTHROPIC_MODEL: target.model,
      OLLAMA_HOST: target.url,
    }),
    unset: ["ANTHROPIC_API_KEY"],
  };
}

function openAi({ url, key }: LaunchTarget): Record<string, string> {
  return { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: key };
}
