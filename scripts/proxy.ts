import { dirname } from 'node:path';
import { Command } from 'commander';
import { type App, lockFile, openApp, openEvents } from '../src/app/app.ts';
import { openProxyMachine, wantedProxies } from '../src/app/proxy.ts';
import { main } from '../src/cli/main.ts';
import { askRestart } from '../src/cli/restart-consent.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { ensureEngineProxy } from '../src/host/engine-proxy.ts';
import { ensureFolderOfOwner } from '../src/host/made-files.ts';
import { masked, PROXY_NAMES } from '../src/host/proxy-drop-in.ts';
import { loadSettings } from '../src/settings/load.ts';
import { withLock } from '../src/system/lock.ts';

interface Options {
  readonly remove: boolean;
  readonly print: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

await main(
  new Command('npm run proxy --')
    .description('Makes Docker on this machine use HTTP_PROXY, HTTPS_PROXY and NO_PROXY of .env.')
    .option('--remove', 'take away what this command made', false)
    .option('--print', 'show what Docker would use, without passwords, and change nothing', false)
    .option('-y, --yes', 'restart Docker without asking', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (options: Options) => {
      const app = openApp();
      if (options.print) return print(app);
      await ensureFolderOfOwner(app.paths.state);
      await ensureFolderOfOwner(dirname(lockFile(app, 'made')));
      await withLock(lockFile(app, 'made'), 'npm run proxy', app.clock, () => proxy(app, options));
    }),
);

async function proxy(app: App, { remove, yes, json }: Options): Promise<void> {
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);
  const machine = openProxyMachine(app);
  const consent = askRestart(terminal, yes);
  const wanted = remove
    ? undefined
    : await wantedProxies(app, await loadSettings(app.paths, app.environment));
  await story.step('Proxy', (report) => ensureEngineProxy(machine, wanted, consent, report));
  if (wanted === undefined && !remove)
    terminal.line('.env names no proxy: set HTTP_PROXY and HTTPS_PROXY there, then run this again.');
  if (json)
    process.stdout.write(`${JSON.stringify({ changed: story.changed, steps: story.records }, null, 2)}\n`);
  if (story.changed) await openEvents(app).record('proxy', 'done', story.records.at(-1)?.summary ?? '');
}

async function print(app: App): Promise<void> {
  const wanted = await wantedProxies(app, await loadSettings(app.paths, app.environment));
  for (const name of PROXY_NAMES)
    process.stdout.write(
      `${name}=${name === 'NO_PROXY' ? (wanted?.NO_PROXY ?? '') : masked(wanted?.[name])}\n`,
    );
}
