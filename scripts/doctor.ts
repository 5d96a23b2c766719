import { Command, Option } from 'commander';
import { openApp } from '../src/app/app.ts';
import { openContext } from '../src/app/doctor.ts';
import { several } from '../src/cli/arguments.ts';
import {
  doctorAsJson,
  doctorSummary,
  isHealthy,
  tellFindings,
  tellMended,
} from '../src/cli/doctor-report.ts';
import { askedFor, type Elsewhere, expectNoneOf, place } from '../src/cli/elsewhere.ts';
import { main } from '../src/cli/main.ts';
import { Terminal } from '../src/cli/terminal.ts';
import type { Result } from '../src/doctor/check.ts';
import { checkNames, chooseChecks } from '../src/doctor/checks.ts';
import { examine, mend } from '../src/doctor/doctor.ts';
import { examineFromOutside } from '../src/doctor/outside/examine.ts';
import { systemClock } from '../src/system/clock.ts';

interface Options {
  readonly fix: boolean;
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly json: boolean;
}

await main(
  new Command('npm run doctor --')
    .description('Looks at the registry as a client sees it. Ends with 1 when something is broken.')
    .option('--fix', 'first put right what can be put right safely', false)
    .option('--quick', 'leave out what moves much data', false)
    .option('--only <name>', `one check, or several: ${checkNames().join(', ')}`, several, [])
    .option('--json', 'print what was found as JSON', false)
    .addOption(
      new Option('--at <name[:port]>', 'look at another machine’s registry from here')
        .argParser(place)
        .conflicts('fix'),
    )
    .option('--address <address>', 'with --at: the machine’s address, if the name does not lead there yet')
    .option('--ca <file>', 'with --at: the CA to trust, if it is one of your own')
    .option('--user <name>', 'with --at: who logs in; the password is asked for')
    .option('--password-stdin', 'with --at: read the password from standard input')
    .option('--repository <name>', 'with --at: where to push (default: moorage/doctor)')
    .action(({ at, ...options }: Options & Omit<Elsewhere, 'at'> & Partial<Elsewhere>) =>
      at === undefined ? doctor(options) : doctorElsewhere({ ...options, at }),
    ),
);

async function doctor({
  fix,
  quick,
  only,
  json,
  ...elsewhere
}: Options & Omit<Elsewhere, 'at'>): Promise<void> {
  expectNoneOf(elsewhere);
  const checks = chooseChecks({ quick, only });
  const begun = systemClock.now();
  const app = openApp();
  const open = openContext.bind(undefined, app);
  const terminal = new Terminal(json ? process.stderr : process.stdout);

  const mended = fix ? await mend(app, open) : [];
  if (fix) tellMended(terminal, mended);
  const results = await examine(app, checks, open, tellFindings(terminal));
  conclude(terminal, results, begun);
  if (json) process.stdout.write(doctorAsJson(results, mended));
}

/** Needs neither settings nor an engine: any machine with a checkout will do. */
async function doctorElsewhere({ quick, only, json, ...elsewhere }: Options & Elsewhere): Promise<void> {
  const asked = await askedFor(elsewhere, only);
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const begun = systemClock.now();
  const results = await examineFromOutside({ ...asked, clock: systemClock, quick }, tellFindings(terminal));
  conclude(terminal, results, begun);
  if (json) process.stdout.write(doctorAsJson(results, []));
}

function conclude(terminal: Terminal, results: readonly Result[], begun: Date): void {
  const seconds = (systemClock.now().getTime() - begun.getTime()) / 1000;
  terminal.line(`\n${doctorSummary(results, seconds)}`);
  process.exitCode = isHealthy(results) ? 0 : 1;
}
