import { vi } from 'vitest';
import { z } from 'zod';

const answer = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});
const targets = z.object({
  data: z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) }),
});
const alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
  }),
});
const rules = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
  }),
});

/** What it takes until something that a part counts is to be seen: the part writes, and Prometheus comes by. */
const SEEN = { timeout: 60_000, interval: 500 };

/** The stack's Prometheus, by its HTTP API. */
export class Prometheus {
  readonly #url: string;

  constructor(port: string | undefined) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** The value of an expression that has one series; `undefined` when it has none. */
  async value(expression: string): Promise<number | undefined> {
    const { data } = answer.parse(await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`));
    const [first] = data.result;
    return first === undefined ? undefined : Number(first.value[1]);
  }

  async until(expression: string, isIt: (value: number | undefined) => boolean): Promise<void> {
    await vi.waitFor(async () => {
      const value = await this.value(expression);
      if (!isIt(value)) throw new Error(`${expression} is ${value}`);
    }, SEEN);
  }

  async targets(): Promise<readonly { readonly health: string; readonly lastError: string }[]> {
    return targets.parse(await this.#get('/api/v1/targets')).data.activeTargets;
  }

  /** Alerts that are pending or firing. */
  async alerts(): Promise<readonly { readonly name: string | undefined; readonly state: string }[]> {
    const { data } = alerts.parse(await this.#get('/api/v1/alerts'));
    return data.alerts.map(({ labels, state }) => ({ name: labels.alertname, state }));
  }

  async rules(): Promise<readonly { readonly name: string; readonly health: string }[]> {
    return rules.parse(await this.#get('/api/v1/rules')).data.groups.flatMap((group) => group.rules);
  }

  async #get(path: string): Promise<unknown> {
    return (await fetch(`${this.#url}${path}`)).json();
  }
}
