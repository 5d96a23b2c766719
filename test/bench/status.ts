import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { onDisk } from '../../src/inventory/layout.ts';
import { Checkout } from '../support/checkout.ts';
import { pushedImage } from '../support/registry-files.ts';
import { below, type Progress, row } from './result.ts';

const REPOSITORIES = 200;
const TAGS_EACH = 25;
const EXPECTED = `${REPOSITORIES} repositories, ${REPOSITORIES * TAGS_EACH} tags`;

const PLAN = ['--keep-last', '10', '--dry-run'];
const PLANNED = `${REPOSITORIES * (TAGS_EACH - 10)} tags in ${REPOSITORIES} repositories go`;

/**
 * `npm run status` as a whole process, npm's own start included, on a running stack that has 5,000 tags in 200
 * repositories; in turn with `--help`, which loads as much and does nothing, and with a plan of `npm run prune`.
 */
export async function status(quick: boolean, report: Progress) {
  const rounds = quick ? 5 : 21;
  const checkout = await Checkout.make();
  try {
    await checkout.init();
    fill(join(checkout.root, 'registry/data'));
    const runs: { whole: number; floor: number; bare: number; plan: number }[] = [];
    for (let number = 1; number <= rounds; number += 1) {
      const whole = await timed(checkout, 'status', [], EXPECTED);
      const floor = await timed(checkout, 'status', ['--help']);
      const bare = await timed(checkout, 'status', ['--no-storage']);
      const plan = await timed(checkout, 'prune', PLAN, PLANNED);
      runs.push({ whole, floor, bare, plan });
      report(`round ${number} of ${rounds}: ${whole.toFixed(2)} s, --help ${floor.toFixed(2)} s`);
    }
    const whole = row(
      'npm run status',
      'all of it',
      runs.map((run) => run.whole),
    );
    const plan = row(
      'npm run prune -- --dry-run',
      'a plan',
      runs.map((run) => run.plan),
    );
    const rows = [
      whole,
      row(
        'npm run status -- --no-storage',
        'without the images',
        runs.map((run) => run.bare),
      ),
      row(
        'npm run status -- --help',
        'the start alone',
        runs.map((run) => run.floor),
      ),
      row(
        'status / --help',
        'in the same round',
        runs.map((run) => run.whole / run.floor),
        'times',
      ),
      plan,
    ];
    const notes = [
      `A registry of ${EXPECTED.replace('repositories,', 'repositories and')}, each of three layers.`,
    ];
    return { rows, goals: [below(1, whole), below(10, plan)], notes };
  } finally {
    await checkout.dispose();
  }
}

/** Seconds. */
async function timed(
  checkout: Checkout,
  script: string,
  args: readonly string[],
  expected = '',
): Promise<number> {
  const began = performance.now();
  const { exitCode, stdout, stderr } = await checkout.command(script, args);
  const seconds = (performance.now() - began) / 1000;
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  if (!stdout.includes(expected)) throw new Error(`${script} shows something else:\n${stdout}`);
  return seconds;
}

/** Images that have one layer in common within their repository. The registry keeps no account of its own. */
function fill(folder: string): void {
  rmSync(onDisk(folder, 'repositories'), { recursive: true }); // of init-tls's proof
  for (let index = 0; index < REPOSITORIES; index += 1) {
    const repository = `team-${index % 20}/app-${index}`;
    for (let number = 0; number < TAGS_EACH; number += 1) {
      const own = [1, 2].map((layer) => ({ name: `${index} ${number} ${layer}`, bytes: 1_000_000 }));
      const { files } = pushedImage(repository, `v${number}`, [
        { name: `base ${index}`, bytes: 30_000_000 },
        ...own,
      ]);
      for (const [path, text] of files) {
        const file = onDisk(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
  }
}
