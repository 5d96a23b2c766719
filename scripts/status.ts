import { Command } from 'commander';
import { openApp } from '../src/app.ts';
import { gatherStatus } from '../src/app-status.ts';
import { main } from '../src/cli/main.ts';
import { statusAsJson, statusReport } from '../src/cli/status-report.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { loadSettings } from '../src/settings/load.ts';
import { expectOwnState } from '../src/stack/folders.ts';

await main(
  new Command('npm run status --')
    .description('What is served, until when, and whether the rules of access are in force.')
    .option('--json', 'print the state as JSON', false)
    .action(status),
);

async function status({ json }: { json: boolean }): Promise<void> {
  const app = openApp();
  await expectOwnState(app.paths);
  const settings = await loadSettings(app.paths, app.environment);
  const found = await gatherStatus(app, settings);
  if (json) process.stdout.write(statusAsJson(settings, found));
  else new Terminal(process.stdout).table(statusReport(settings, found));
}
