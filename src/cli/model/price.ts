import { PriceListAnswer, PriceView } from "../../wire/price.ts";
import type { ClientContext } from "../client/options.ts";
import { requestJson, sendRequest } from "../client/request.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { colorsFor } from "../terminal/color.ts";
import { printable, printJson, printLine } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

const PATH = "/api/prices";

/** The flags of `llmlb model price`, as text. */
export interface PriceFlags {
  input?: string;
  output?: string;
  cached?: string;
  clear?: true;
}

/** Prints the prices, sets one, or takes one away. Throws `CliError` for a wrong flag. */
export async function modelPrice(
  { server, json }: ClientContext,
  model: string | undefined,
  flags: PriceFlags,
): Promise<ExitCode> {
  const { input, output, cached, clear } = flags;
  const isGiven = [input, output, cached].some((one) => one !== undefined);
  if (model === undefined) {
    if (isGiven || clear) throw new CliError("Name the model whose price it is.", EXIT.usage);
    return printPrices(await requestJson(server, PATH, PriceListAnswer), json);
  }
  const path = `${PATH}/${encodeURIComponent(model)}`;
  if (clear) {
    await sendRequest(server, path, { method: "DELETE" });
    if (json) return printJson({ model, removed: true });
    printLine(`${printable(model)} has no price any more.`);
    return EXIT.ok;
  }
  if (input === undefined || output === undefined) {
    throw new CliError("A price needs --input and --output, or --clear.", EXIT.usage);
  }
  const body = {
    input_per_million: amountOf("--input", input),
    output_per_million: amountOf("--output", output),
    ...(cached !== undefined && { cached_per_million: amountOf("--cached", cached) }),
  };
  const set = await requestJson(server, path, PriceView, { method: "PUT", body });
  return printPrices({ prices: [set] }, json);
}

function printPrices(answer: PriceListAnswer, json: boolean): ExitCode {
  if (json) return printJson(answer);
  if (answer.prices.length === 0) {
    printLine("No model has a price: llmlb model price MODEL --input 1 --output 2");
    return EXIT.ok;
  }
  const head = ["MODEL", "INPUT", "CACHED", "OUTPUT"].map(colorsFor(process.stdout).dim);
  const rows = answer.prices.map((one) => [
    printable(one.model),
    String(one.input_per_million),
    String(one.cached_per_million ?? one.input_per_million),
    String(one.output_per_million),
  ]);
  for (const row of table([head, ...rows])) printLine(row);
  return EXIT.ok;
}

function amountOf(flag: string, text: string): number {
  const amount = text.trim() === "" ? Number.NaN : Number(text);
  if (amount >= 0 && amount <= 1e9) return amount;
  throw new CliError(`${flag} ${text}: must be what a million tokens cost, e.g. 0.5`, EXIT.usage);
}
