import { $ } from 'zx';
import { openApp, openHost } from '../src/app/app.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { installDevelopmentPackages, installPrograms, openTestEngine } from '../test/support/machine.ts';

const app = openApp();
const host = openHost(app);
const story = new Story(new Terminal(process.stdout), app.clock);

await story.step('Packages', (report) => installDevelopmentPackages(host, app.paths.root, report));
await story.step('Programs', (report) => installPrograms(host, report));
const engine = await story.step('Engine', (report) => openTestEngine(host, report));
try {
  const dockerHost = engine.dockerHost === undefined ? {} : { DOCKER_HOST: engine.dockerHost };
  const env = { ...app.environment, ...dockerHost };
  const vitest = await $({
    cwd: app.paths.root,
    env,
    stdio: 'inherit',
    nothrow: true,
  })`npx vitest run ${process.argv.slice(2)}`;
  process.exitCode = vitest.exitCode ?? 1;
} finally {
  await engine.stop();
}
