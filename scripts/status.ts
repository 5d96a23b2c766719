import { Command } from 'commander';
import { openApp, renewalParts } from '../src/app.ts';
import { assess } from '../src/certificates/renewal.ts';
import { main } from '../src/cli/main.ts';
import { statusReport } from '../src/cli/status-report.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { loadSettings } from '../src/settings/load.ts';
import { registryUrl } from '../src/settings/settings.ts';
import { registrySilence } from '../src/stack/answer.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { diskState } from '../src/stack/image-disk.ts';
import { readAccessState } from '../src/users/access-state.ts';

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
  const parts = renewalParts(app, settings, connect(app.environment.DOCKER_HOST));

  const outlook = await assess(parts);
  const silence = await registrySilence(settings);
  const access = settings.auth.by === 'gate' ? await readAccessState(app.paths) : undefined;
  const disk = await diskState(settings);
  if (json) {
    const state = { url: registryUrl(settings), silence, certificate: outlook.decision, access, disk };
    process.stdout.write(`${JSON.stringify(state, null, 2)}\n`);
  } else new Terminal(process.stdout).table(statusReport(settings, { silence, outlook, access, disk }));
}
