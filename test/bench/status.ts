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

/**
 * `npm run status` as a whole process, npm's own start included, on a running stack that has 5,000 tags in 200
 * repositories; in turn with `--help`, which loads as much and does nothing.
 */
export async function status(quick: boolean, report: Progress) {
  const rounds = quick ? 5 : 21;
  const checkout = await Checkout.make();
  try {
    await checkout.init();
    fill(join(checkout.root, 'registry/data'));
    const runs: { whole: number; floor: number; bare: number }[] = [];
    for (let number = 1; number <= rounds; number += 1) {
      const whole = await timed(checkout, []);
      if (!whole.stdout.includes(EXPECTED)) throw new Error(`it shows something else:\n${whole.stdout}`);
      const floor = await timed(checkout, ['--help']);
      const bare = await timed(checkout, ['--no-storage']);
      runs.push({ whole: whole.seconds, floor: floor.seconds, bare: bare.seconds });
      report(
        `round ${number} of ${rounds}: ${whole.seconds.toFixed(2)} s, --help ${floor.seconds.toFixed(2)} s`,
      );
    }
    const whole = row(
      'npm run status',
      'all of it',
      runs.map((run) => run.whole),
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
    ];
    const notes = [
      `A registry of ${EXPECTED.replace('repositories,', 'repositories and')}, each of three layers.`,
    ];
    return { rows, goals: [below(1, whole)], notes };
  } finally {
    await checkout.dispose();
  }
}

async function timed(
  checkout: Checkout,
  args: readonly string[],
): Promise<{ seconds: number; stdout: string }> {
  const began = performance.now();
  const { exitCode, stdout, stderr } = await checkout.npm('status', args);
  const seconds = (performance.now() - began) / 1000;
  if (exitCode !== 0) throw new Error(`status ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return { seconds, stdout };
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
