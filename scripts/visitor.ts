import { Command } from 'commander';
import { openApp } from '../src/app/app.ts';
import { openContext } from '../src/app/doctor.ts';
import { main } from '../src/cli/main.ts';
import { findSettings } from '../src/doctor/machine/settings.ts';
import { linesOf, receive } from '../src/doctor/outside/welcome.ts';
import { Failure } from '../src/errors.ts';
import { expectOwnState } from '../src/stack/folders.ts';

/** Longer than pushes take over a line to be content with. */
const WITHIN = 45 * 60_000;
/** A doctor with a push over a slow line takes minutes, and so do uploads that a clean-up lets end. */
const PATIENCE = 5 * 60_000;

await main(
  new Command('npm run visitor --')
    .description(
      'Lets the doctor of another machine in, over SSH: prints where the registry is, whom to trust and a login for ' +
        'moorage/doctor alone, as JSON. The login is gone when standard input ends, after 45 minutes at the latest.',
    )
    .action(visitor),
);

async function visitor(): Promise<void> {
  const app = openApp();
  const found = await findSettings(app);
  if (found.kind !== 'loaded')
    throw new Failure(
      'not-set-up',
      'There is no registry here yet, or its settings are wrong.',
      'npm run doctor',
    );
  await expectOwnState(app.paths);
  // Whoever goes without a word: the login goes all the same.
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => process.stdin.destroy());
  const lines = linesOf(process.stdin);
  const left = await receive(openContext(app, found.settings), lines, {
    greet: say,
    within: WITHIN,
    wait: { patience: PATIENCE, onWait: tellOnce() },
  });
  say({ left: left ?? null });
  process.stdin.destroy();
}

/** For whoever waits at the other end. */
function tellOnce(): (line: string) => void {
  let last = '';
  return (line) => {
    if (line !== last) process.stderr.write(`${line}\n`);
    last = line;
  };
}

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
