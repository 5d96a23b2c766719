import { Command, Option } from 'commander';
import { gatherStatus, readStorage, type Watched } from '../src/app/status.ts';
import { showLive } from '../src/cli/live-screen.ts';
import { main } from '../src/cli/main.ts';
import { pageOf } from '../src/cli/page.ts';
import { statusAsJson } from '../src/cli/status-json.ts';
import { statusScreen, watchFooter } from '../src/cli/status-screen.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { WrongInput } from '../src/errors.ts';
import { paths } from '../src/paths.ts';
import { environment } from '../src/settings/environment.ts';
import { loadSettings } from '../src/settings/load.ts';
import type { Settings } from '../src/settings/settings.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { remembered } from '../src/status/remembered.ts';
import { isWell, troublesOf } from '../src/status/troubles.ts';
import { systemClock } from '../src/system/clock.ts';

const WATCH_EVERY = 2_000;

interface Options {
  readonly json: boolean;
  readonly watch: boolean;
  readonly all: boolean;
  readonly storage: boolean;
}

await main(
  new Command('npm run status --')
    .description(
      'How the registry is, on one screen: what is wrong first, and what to do. Ends with 1 if something is broken.',
    )
    .option('--json', 'print the state as JSON', false)
    .addOption(
      new Option('--watch', 'draw it again every two seconds, until q').conflicts('json').default(false),
    )
    .option('--all', 'every repository, not only the largest', false)
    .option('--no-storage', 'don’t read what images take: in a bucket that may take minutes')
    .action(status),
);

async function status(options: Options): Promise<void> {
  const app = { paths: paths(), clock: systemClock, environment: environment() };
  await expectOwnState(app.paths);
  const settings = await loadSettings(app.paths, app.environment);
  const terminal = new Terminal(process.stdout);
  if (options.watch) return watch(app, settings, terminal, options);

  if (options.storage && settings.storage.kind === 's3' && terminal.live)
    terminal.transient('reading the bucket …');
  const found = await gatherStatus(app, settings, options.storage ? readStorage(app, settings) : 'left-out');
  const troubles = troublesOf(found);
  if (options.json) process.stdout.write(statusAsJson(found, troubles));
  else for (const line of statusScreen(found, troubles, pageOf(terminal), options.all)) terminal.line(line);
  process.exitCode = isWell(troubles) ? 0 : 1;
}

async function watch(
  app: Watched,
  settings: Settings,
  terminal: Terminal,
  { all, storage }: Options,
): Promise<void> {
  if (!terminal.interactive)
    throw new WrongInput([
      { input: '--watch', message: 'needs a terminal; without one ask for --json now and then' },
    ]);
  const images = remembered(() => readStorage(app, settings), app.clock);
  await showLive(app.clock, WATCH_EVERY, async () => {
    const found = await gatherStatus(
      app,
      settings,
      storage ? ((await images()) ?? 'being-read') : 'left-out',
    );
    const { columns, ...page } = pageOf(terminal);
    return [
      // Erasing the rest of a line that is full takes its last letter.
      ...statusScreen(found, troublesOf(found), { ...page, columns: columns - 1 }, all),
      watchFooter(terminal, WATCH_EVERY),
    ];
  });
}
