import { Command } from 'commander';
import { type App, lockFile, openApp, openEvents, openHost, openJournal } from '../src/app/app.ts';
import { openRestic } from '../src/app/backup.ts';
import { withStorage } from '../src/app/storage.ts';
import { targetOf } from '../src/backup/access.ts';
import { beginRestore, begunRestore } from '../src/backup/begun.ts';
import { readAboutOf } from '../src/backup/extract.ts';
import { dataFolder, expectFit } from '../src/backup/fit.ts';
import { moveAside, putInPlace, type Staged } from '../src/backup/put-in-place.ts';
import { choose, openRepository } from '../src/backup/snapshots.ts';
import { expectRoomFor, stageImages } from '../src/backup/stage-images.ts';
import { discardSettings, stageSettings } from '../src/backup/stage-settings.ts';
import { askConsent } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import { backupPassword } from '../src/cli/restore-password.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { Failure } from '../src/errors.ts';
import { ensureRestic } from '../src/host/restic.ts';
import { expectNothingInterrupted } from '../src/journal.ts';
import { loadSettings } from '../src/settings/load.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { expectNotServed, stopStack } from '../src/stack/stop.ts';
import { withLock } from '../src/system/lock.ts';
import { runVisibly } from '../src/system/processes.ts';

interface Options {
  readonly snapshot?: string;
  readonly dataDir?: string;
  readonly force: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const WHO = 'npm run restore';

await main(
  new Command('npm run restore --')
    .description('Brings a registry back from a backup, verified, on a machine that has none.')
    .argument(
      '[target]',
      '/folder, user@host:/folder, s3:https://host/bucket/folder (default: BACKUP_TARGET)',
    )
    .option('--snapshot <id>', 'this backup instead of the latest')
    .option('--data-dir <folder>', 'where the images go, instead of the place they had', dataFolder)
    .option(
      '--force',
      'also where there is a registry; what it has is kept in folders before-restore-DATE',
      false,
    )
    .option('-y, --yes', 'install what is missing without asking', false)
    .option('--json', 'print the result as JSON', false)
    .action(restore),
);

/** Up to “Stack” nothing of this machine changes; from there on a run that is killed is ended by the next. */
async function restore(given: string | undefined, options: Options): Promise<void> {
  const app = openApp();
  const { paths, clock } = app;
  await expectOwnState(paths);
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const story = new Story(terminal, clock);
  const journal = openJournal(app, 'restore');
  const exclusively = <T>(work: () => Promise<T>) =>
    withStorage(app, WHO, () => withLock(lockFile(app, 'init-tls'), WHO, clock, work));

  const staged = await exclusively(async () => {
    await expectNothingInterrupted({ storage: openJournal(app, 'storage') }); // it would go on over what is restored
    const begun = begunRestore(await journal.interrupted(), options.snapshot);
    if (begun !== undefined) terminal.line(`The restore begun at ${begun.since.toISOString()} goes on.`);
    const ready = begun?.staged ?? (await fetchBackup(app, story, terminal, given, options));
    await withLock(lockFile(app, 'certificate'), WHO, clock, async () => {
      if (begun?.isAhead('aside') ?? true) {
        await journal.reach('aside');
        await story.step('Before', () => moveAside(paths, ready));
      }
      if (begun?.isAhead('place') ?? true) {
        await journal.reach('place');
        await story.step('In place', () => putInPlace(paths, ready));
      }
    });
    await journal.reach('start');
    return ready;
  });

  const flags = options.yes ? ['--', '--yes'] : [];
  const printTo = options.json ? 'errors' : 'output';
  const exitCode = await runVisibly('npm', ['run', '--silent', 'init-tls', ...flags], {
    cwd: paths.root,
    printTo,
  });
  if (exitCode !== 0) throw notStarted();
  await journal.end();
  const snapshot = staged.snapshot.slice(0, 8);
  await openEvents(app).record('restore', 'done', `backup ${snapshot}`);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...staged, steps: story.records }, null, 2)}\n`);
  else terminal.table([['Restored', `backup ${snapshot}`]]);
}

async function fetchBackup(
  app: App,
  story: Story,
  terminal: Terminal,
  given: string | undefined,
  { snapshot: wanted, dataDir, force, yes }: Options,
): Promise<Staged> {
  const { paths, clock, environment, run } = app;
  const journal = openJournal(app, 'restore');
  const here = await loadSettings(paths, environment);
  const target = targetOf(given, here.backup);
  const password = await backupPassword(here.backup, terminal);
  const consent = askConsent(terminal, yes);
  const command = await story.step('restic', (report) =>
    ensureRestic(openHost(app, here.proxy), consent, report),
  );
  const restic = openRestic(app, command, target, password, here.backup.keys);
  const snapshot = choose(await story.step('Backups', (report) => openRepository(restic, report)), wanted);

  const about = await readAboutOf(restic, snapshot);
  await story.step('Settings', () => stageSettings(restic, snapshot, paths, { dataDir }));
  const discard = () => discardSettings(paths);
  const data = await story.step('This machine', () => expectFit(app, about, force), discard);

  if (data !== undefined)
    await story.step('Folder', () => expectNotServed(connect(environment.DOCKER_HOST), paths, data), discard);
  const before = await journal.interrupted();
  await story.stepFor(data, 'Room', (folder) => expectRoomFor(restic, snapshot, folder, before));
  const staged = { snapshot: snapshot.id, stamp: stampOf(clock.now()), data };
  await beginRestore(journal, staged);
  await story.stepFor(data, 'Images', (folder, report) =>
    stageImages(restic, snapshot, { data: folder, about }, report),
  );
  await story.step('Stack', (report) =>
    stopStack({ run, paths, engine: connect(environment.DOCKER_HOST) }, here, report),
  );
  return staged;
}

/** For the name of a folder. */
function stampOf(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(':', '-');
}

function notStarted(): Failure {
  return new Failure(
    'not-started',
    'Everything is restored, and init-tls failed (above).',
    'Do as it says, then run this again.',
  );
}
