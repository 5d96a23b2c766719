import { Command } from 'commander';
import { type App, lockFile, openApp } from '../src/app/app.ts';
import {
  asChecker,
  expectNothingUntagged,
  finishBefore,
  giveUp,
  openCollection,
} from '../src/app/collection.ts';
import { expectImagesInPlace } from '../src/app/storage.ts';
import {
  type CollectionOutcome,
  collectionAsJson,
  collectionInWords,
  damageInWords,
} from '../src/cli/collection-report.ts';
import { main } from '../src/cli/main.ts';
import { seconds } from '../src/cli/seconds.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { close, drain, quieten, wake } from '../src/collection/close.ts';
import { collect, look, rehearse } from '../src/collection/collect.ts';
import { noteFailure } from '../src/collection/finish.ts';
import { type CollectionParts, HOLDER } from '../src/collection/parts.ts';
import { expectContents, expectSafeDeletion } from '../src/collection/preconditions.ts';
import { verify } from '../src/collection/verify.ts';
import { connect } from '../src/engine/connect.ts';
import { loadSettings } from '../src/settings/load.ts';
import { awaitRegistry } from '../src/stack/answer.ts';
import { ensureFolders, expectOwnState } from '../src/stack/folders.ts';
import { expectNotMoved } from '../src/stack/moved.ts';
import { ensureProjectOurs } from '../src/stack/project.ts';
import { expectSetUp } from '../src/stack/set-up.ts';
import { withWritesClosed } from '../src/stack/writes.ts';
import { unchanged } from '../src/step.ts';
import { withLock } from '../src/system/lock.ts';

interface Options {
  readonly dryRun: boolean;
  readonly deleteUntagged: boolean;
  readonly despiteDamage: boolean;
  readonly wait: number;
  readonly json: boolean;
}

await main(
  new Command('npm run gc --')
    .description('Removes layers that no image needs any more. Pulls go on; writes are refused for a moment.')
    .option('--dry-run', 'show what would go, and change nothing', false)
    .option(
      '--delete-untagged',
      'delete images that no tag and no index names (distribution 3 and later)',
      false,
    )
    .option('--despite-damage', 'go on though the content of a manifest is lost', false)
    .option('--wait <seconds>', 'how long to wait for uploads in progress', seconds, 300)
    .option('--json', 'print the result as JSON', false)
    .action(async (options: Options) => {
      const app = openApp();
      await expectOwnState(app.paths);
      await expectSetUp(app.paths);
      await expectNotMoved(app.paths);
      await withLock(lockFile(app, 'storage'), 'npm run gc', app.clock, () => gc(app, options));
    }),
);

async function gc(app: App, options: Options): Promise<void> {
  const settings = await loadSettings(app.paths, app.environment);
  const engine = connect(app.environment.DOCKER_HOST);
  await engine.version(); // says how to get one that answers
  await ensureProjectOurs(engine, app.paths, settings.project);
  await expectImagesInPlace(app, settings);
  const parts = openCollection(app, settings, engine);
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);

  if (options.deleteUntagged) expectSafeDeletion(await parts.registry.version());
  await ensureFolders(app.paths, settings);
  await story.step('Before', () => finishBefore(parts));
  if (options.deleteUntagged) await expectNothingUntagged(app, parts);
  await story.step('Registry', () => awaitRegistry(settings, app.clock, parts.log));
  const outcome = options.dryRun
    ? await dryRun(app, parts, story, options)
    : await asChecker(app, settings, (askHead) => collection(app, parts, story, options, askHead));

  terminal.line();
  terminal.table([['Collected', collectionInWords(outcome)]]);
  if (options.json) process.stdout.write(collectionAsJson(outcome));
  for (const line of damageInWords(outcome)) process.stderr.write(`${line}\n`);
  if (outcome.damage.length > 0) process.exitCode = 1;
}

async function dryRun(
  app: App,
  parts: CollectionParts,
  story: Story,
  options: Options,
): Promise<CollectionOutcome> {
  await story.step('Contents', () => expectContents(parts, options));
  const before = await story.step('Inventory', () => look(parts));
  const { forget } = await story.step('Pruned', async () => {
    const { summary, value } = await giveUp(app, before);
    return unchanged(summary, value);
  });
  const collected = await story.step('Rehearsal', (report) => rehearse(parts, before, options, report));
  return { dryRun: true, pruned: forget.length > 0, collected, seconds: 0, damage: [], before: [] };
}

/** The whole story, in order. A run that is killed anywhere in it is ended by the next one, or by the daemon. */
async function collection(
  app: App,
  parts: CollectionParts,
  story: Story,
  options: Options,
  askHead: (path: string) => Promise<number>,
): Promise<CollectionOutcome> {
  const { clock, journal, events } = parts;
  await story.step('Contents', () => expectContents(parts, options));
  await journal.begin();
  const done = await withWritesClosed(parts, HOLDER, async (writes) => {
    await story.step('Uploads', (report) => drain(parts, writes, options.wait, report));
    await story.step('Writes', () => close(parts, writes));
    await story.step('Quiet', () => quieten(parts, writes));
    const found = await story.step('Inventory', () => look(parts));
    const { before, forget, done: forgotten } = await story.step('Pruned', () => giveUp(app, found));
    const collected = await story.step('Collected', (report) =>
      collect(parts, writes, before, { ...options, forget }, report),
    );
    await forgotten();
    await story.step('Registry', () => wake(parts, writes));
    const damage = await story.step('Verified', (report) => verify(parts, before, options, askHead, report));
    return { collected, damage, before: before.damage, since: writes.since };
  }).catch((error) => noteFailure(parts, error));
  await journal.end();
  const seconds = (clock.now().getTime() - (done.since ?? clock.now()).getTime()) / 1000;
  const outcome = { dryRun: false, ...done, seconds };
  await events.record(HOLDER, done.damage.length === 0 ? 'done' : 'trouble', collectionInWords(outcome));
  return outcome;
}
