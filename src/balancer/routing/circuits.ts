import { Circuit, type CircuitOptions, type CircuitState } from "./circuit.ts";

/** From the best to the worst that a circuit can tell of an endpoint. */
const STATES: readonly CircuitState[] = ["closed", "half_open", "probing", "open"];

/**
 * The circuits of one endpoint: one for each of its models, because what fails one model's requests
 * need not fail another's. Only those with failures are kept, so that a look costs nothing as a
 * rule.
 */
export class Circuits {
  readonly #options: CircuitOptions;
  readonly #byModel = new Map<string, Circuit>();
  /** Models that were answered well since a request for them was refused. */
  readonly #trusted = new Set<string>();

  constructor(options: CircuitOptions = {}) {
    this.#options = options;
  }

  /** Requests for a model are let through from this time on. */
  blockedUntilMs(model: string): number {
    if (this.#byModel.size === 0) return Number.NEGATIVE_INFINITY;
    return this.#byModel.get(model)?.blockedUntilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** A request for a model is sent; true if it is the probe that closes or opens its circuit. */
  begin(model: string, nowMs: number): boolean {
    return this.#byModel.get(model)?.begin(nowMs) ?? false;
  }

  /** A request for a model was answered; true if that closed a circuit. */
  succeed(model: string): boolean {
    const closes = this.#byModel.get(model)?.succeed() ?? false;
    this.#byModel.delete(model);
    return closes;
  }

  /** Requests for a model are answered well: a refusal is likely the fault of its request. */
  trust(model: string): void {
    this.#trusted.add(model);
  }

  /** Whether a model's requests have been answered well since one was refused. */
  isTrusted(model: string): boolean {
    return this.#trusted.has(model);
  }

  /** A request for a model was refused, whoever is at fault. */
  distrust(model: string): void {
    this.#trusted.delete(model);
  }

  /** A request for a model failed: the end of the back-off if that opened its circuit. */
  fail(model: string, nowMs: number, probe: boolean): number | undefined {
    let circuit = this.#byModel.get(model);
    if (circuit === undefined) {
      circuit = new Circuit(this.#options);
      this.#byModel.set(model, circuit);
    }
    return circuit.fail(nowMs, probe) ? circuit.blockedUntilMs : undefined;
  }

  /** The probe for a model ended without a verdict. */
  abandon(model: string): void {
    this.#byModel.get(model)?.abandon();
  }

  /** Closes all circuits; nothing is known of the endpoint any more. */
  reset(): void {
    this.#trusted.clear();
    this.#byModel.clear();
  }

  /** The state of the model that is worst off. */
  state(nowMs: number): CircuitState {
    let worst = 0;
    for (const circuit of this.#byModel.values()) {
      worst = Math.max(worst, STATES.indexOf(circuit.state(nowMs)));
    }
    return STATES[worst] ?? "closed";
  }
}
