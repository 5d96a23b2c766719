import { Command } from 'commander';
import { openApp, renewalParts } from '../src/app.ts';
import { assess, ensureCertificate } from '../src/certificates/renewal.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { loadSettings } from '../src/settings/load.ts';

interface Options {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

await main(
  new Command('npm run renew --')
    .description('Renews the certificate if it is due, and says why or why not.')
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .option('--force', 'renew even if it is not due; public CAs count this against your limits', false)
    .option('--json', 'print the result as JSON', false)
    .action(renew),
);

async function renew({ dryRun, force, json }: Options): Promise<void> {
  const app = openApp();
  const settings = await loadSettings(app.paths, app.environment);
  const parts = renewalParts(app, settings, connect(app.environment.DOCKER_HOST));
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const decision = await assess(parts);
  terminal.line(
    decision.kind === 'keep' ? `Not due: ${decision.reason}.` : `To be renewed: ${decision.reason}.`,
  );

  const story = new Story(terminal, app.clock);
  const generation = dryRun
    ? undefined
    : await story.step('Certificate', (report) => ensureCertificate(parts, { force }, report));
  if (json)
    process.stdout.write(`${JSON.stringify({ decision, changed: story.changed, generation }, null, 2)}\n`);
}
