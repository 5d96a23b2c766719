import { join } from 'node:path';
import { Command } from 'commander';
import { type App, openApp, openEvents, openHost } from '../src/app/app.ts';
import { openRestic } from '../src/app/backup.ts';
import { withImagesInPlace } from '../src/app/storage.ts';
import { ensurePassword, expectPassword, targetOf } from '../src/backup/access.ts';
import { backUp } from '../src/backup/back-up.ts';
import { forget } from '../src/backup/forget.ts';
import { filesElsewhere } from '../src/backup/kept-files.ts';
import { backupMetrics } from '../src/backup/metrics.ts';
import { expectBackable, isOnSameDisk } from '../src/backup/refusals.ts';
import type { Size } from '../src/backup/sample.ts';
import { removeAside, setAside } from '../src/backup/set-aside.ts';
import { choose, ensureRepository, openRepository } from '../src/backup/snapshots.ts';
import { checkRepository, verifySample } from '../src/backup/verify.ts';
import { policyOf, sampleSize, withPolicy } from '../src/cli/backup-input.ts';
import { sayBackedUp, sayList } from '../src/cli/backup-report.ts';
import { askConsent } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { messageOf } from '../src/errors.ts';
import { ensureRestic } from '../src/host/restic.ts';
import { loadSettings } from '../src/settings/load.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { writeMetrics } from '../src/system/metrics-file.ts';

interface Options extends Record<string, unknown> {
  readonly list: boolean;
  readonly verify: boolean;
  readonly sample: Size;
  readonly snapshot?: string;
  readonly settingsOnly: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

await main(
  withPolicy(
    new Command('npm run backup --')
      .description(
        'Backs up images, users, certificates and settings, encrypted. What has not changed is stored only once.',
      )
      .argument(
        '[target]',
        '/folder, user@host:/folder, s3:https://host/bucket/folder (default: BACKUP_TARGET)',
      )
      .option('--list', 'list the backups', false)
      .option('--verify', 'take images out of a backup and compare their digests', false)
      .option('--sample <n>', 'with --verify: how many images, or all', sampleSize, 10)
      .option('--snapshot <id>', 'with --verify: this backup instead of the latest')
      .option('--settings-only', 'without images, which are in a bucket', false)
      .option('-y, --yes', 'install restic without asking', false)
      .option('--json', 'print the result as JSON', false),
  ).action(backup),
);

async function backup(given: string | undefined, options: Options): Promise<void> {
  const app = openApp();
  const { paths, clock, environment } = app;
  await expectOwnState(paths);
  const settings = await loadSettings(paths, environment);
  const target = targetOf(given, settings.backup);
  const reading = options.list || options.verify;
  if (!reading) await expectBackable(paths, settings, target, options.settingsOnly);
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const story = new Story(terminal, clock);
  const print = (result: object) =>
    options.json && process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const consent = askConsent(terminal, options.yes);

  const host = openHost(app, settings.proxy);
  const command = await story.step('restic', (report) => ensureRestic(host, consent, report));
  const password = reading
    ? expectPassword(settings.backup)
    : await story.step('Password', () => ensurePassword(paths, settings.backup));
  const restic = openRestic(app, command, target, password, settings.backup.keys);

  if (reading) {
    const snapshots = await story.step('Backups', (report) => openRepository(restic, report));
    if (options.list) {
      sayList(terminal, target, snapshots);
      return void print({ target: target.shown, snapshots });
    }
    const snapshot = choose(snapshots, options.snapshot);
    const { sample: size } = options;
    const place = { size, folder: join(paths.backups, 'verify'), random: Math.random };
    const damage = await story.step('Structure', () => checkRepository(restic));
    const verified = await story.step('Images', (report) =>
      verifySample(restic, snapshot, place, damage, report),
    );
    return void print({ target: target.shown, snapshot, ...verified });
  }

  const result = await withImagesInPlace(app, settings, 'npm run backup', async () => {
    const before = await story.step('Target', (report) => ensureRepository(restic, report));
    try {
      const aside = await story.step('Links', (report) => setAside(app, settings, report));
      const latest = before.findLast(({ registry }) => registry === settings.domain);
      const made = await story.step('Backup', (report) => backUp(restic, aside, latest, report));
      return { about: aside.about, made, first: before.length === 0 };
    } finally {
      await removeAside(paths);
    }
  }).catch((error) => recordTrouble(app, error));
  const dropped = await story.stepFor(policyOf(options), 'Old backups', (policy) =>
    forget(restic, settings.domain, policy),
  );

  const elsewhere = filesElsewhere(paths, settings);
  const sameDisk = await isOnSameDisk(target, settings);
  await writeMetrics(paths.metrics, 'backup', await backupMetrics(clock.now()));
  await openEvents(app).record('backup', 'done', `${result.made.snapshot} at ${target.shown}`);
  sayBackedUp(terminal, { target, ...result, elsewhere, sameDisk });
  print({
    target: target.shown,
    ...result.made,
    ...result.about,
    dropped,
    elsewhere,
    sameDisk,
    steps: story.records,
  });
}

/** Nobody looks at what a timer runs at night. */
async function recordTrouble(app: App, error: unknown): Promise<never> {
  await openEvents(app).record('backup', 'trouble', messageOf(error).split('\n')[0] ?? '');
  throw error;
}
