import { arch, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { openApp } from '../src/app/app.ts';
import { main } from '../src/cli/main.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { Failure } from '../src/errors.ts';
import { auth } from '../test/bench/auth.ts';
import { data } from '../test/bench/data.ts';
import { deploy } from '../test/bench/deploy.ts';
import { asMarkdown, rewriteSection } from '../test/bench/document.ts';
import { firstRun } from '../test/bench/first-run.ts';
import { renewal } from '../test/bench/renewal.ts';
import type { BenchResult } from '../test/bench/result.ts';
import { schedule } from '../test/bench/schedule.ts';
import { status } from '../test/bench/status.ts';

const BENCHES = { auth, data, deploy, 'first-run': firstRun, renewal, schedule, status };

interface Options {
  readonly json: boolean;
  readonly check: boolean;
  readonly quick: boolean;
}

await main(
  new Command('npm run bench --')
    .description('Measures on real parts and rewrites its section of docs/benchmarks.md.')
    .addArgument(new Argument('<name>', 'what to measure').choices(Object.keys(BENCHES)))
    .option('--json', 'print the result as JSON', false)
    .option('--check', 'fail when a goal is not met', false)
    .option('--quick', 'fewer runs of each, a minute at most; leaves the page alone', false)
    .action(bench),
);

async function bench(name: keyof typeof BENCHES, { json, check, quick }: Options): Promise<void> {
  const { paths, environment } = openApp();
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const measured = await BENCHES[name](quick, (line) => terminal.line(`· ${line}`));
  const result: BenchResult = { bench: name, machine: await machine(environment.DOCKER_HOST), ...measured };

  if (!quick) await rewriteSection(join(paths.root, 'docs/benchmarks.md'), result);
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : asMarkdown(result)}\n`);
  const missed = result.goals
    .filter(({ met }) => !met)
    .map((goal) => `${goal.name}: ${goal.value}, goal ${goal.goal}`);
  if (check && missed.length > 0)
    throw new Failure('goal-missed', missed.join('\n'), 'Find what became slower.');
}

async function machine(dockerHost: string | undefined): Promise<string> {
  const memory = Math.round(totalmem() / 1024 ** 3);
  const engine = await connect(dockerHost).version();
  return `${cpus().length} cores (${arch()}), ${memory} GB, Node ${process.version}, Docker ${engine}`;
}
