import type { Checkout } from './checkout.ts';

interface Told {
  readonly name: string;
  readonly verdict: string;
  readonly detail: string;
  readonly fix?: string;
}

/** What `npm run doctor -- --json` found. */
export interface Diagnosis {
  readonly exitCode: number;
  readonly healthy: boolean;
  readonly mended: readonly { readonly name: string; readonly did: string }[];
  /** All that is neither fine nor left out. */
  readonly unwell: readonly Told[];
  readonly check: (name: string) => Told;
}

export async function diagnose(
  checkout: Checkout,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  input?: string,
): Promise<Diagnosis> {
  const options = input === undefined ? { env } : { env, input };
  const { exitCode, stdout, stderr } = await checkout.command('doctor', ['--json', ...args], options);
  if (stdout === '') throw new Error(`the doctor ended with ${exitCode} and said:\n${stderr}`);
  const told: { checks: Told[]; healthy: boolean; mended?: Diagnosis['mended'] } = JSON.parse(stdout);
  return {
    exitCode,
    healthy: told.healthy,
    mended: told.mended ?? [],
    unwell: told.checks.filter(({ verdict }) => verdict !== 'fine' && verdict !== 'skipped'),
    check: (name) => {
      const found = told.checks.find((each) => each.name === name);
      if (found === undefined) throw new Error(`there is no check ${name} in ${stdout}`);
      return found;
    },
  };
}
