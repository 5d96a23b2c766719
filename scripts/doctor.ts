import { Command } from 'commander';
import { openApp } from '../src/app/app.ts';
import { openContext } from '../src/app/doctor.ts';
import {
  doctorAsJson,
  doctorSummary,
  isHealthy,
  tellFindings,
  tellMended,
} from '../src/cli/doctor-report.ts';
import { main } from '../src/cli/main.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { checkNames, chooseChecks } from '../src/doctor/checks.ts';
import { examine, mend } from '../src/doctor/doctor.ts';

interface Options {
  readonly fix: boolean;
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly json: boolean;
}

await main(
  new Command('npm run doctor --')
    .description('Looks at the registry as a client sees it. Ends with 1 when something is broken.')
    .option('--fix', 'first do what is safe about what is found', false)
    .option('--quick', 'leave out what moves much data', false)
    .option('--only <name>', `one check, or several: ${checkNames().join(', ')}`, several, [])
    .option('--json', 'print what was found as JSON', false)
    .action(doctor),
);

async function doctor({ fix, quick, only, json }: Options): Promise<void> {
  const checks = chooseChecks({ quick, only });
  const app = openApp();
  const open = openContext.bind(undefined, app);
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const begun = app.clock.now().getTime();

  const mended = fix ? await mend(app, open) : [];
  if (fix) tellMended(terminal, mended);
  const results = await examine(app, checks, open, tellFindings(terminal));
  terminal.line(`\n${doctorSummary(results, (app.clock.now().getTime() - begun) / 1000)}`);

  if (json) process.stdout.write(doctorAsJson(results, mended));
  process.exitCode = isHealthy(results) ? 0 : 1;
}

function several(name: string, before: readonly string[]): string[] {
  return [...before, name];
}
