import { readDirectory } from '../acme/directory.ts';
import type { Context } from '../doctor/context.ts';
import { gatherStack } from '../doctor/stack/facts.ts';
import { connect } from '../engine/connect.ts';
import { unitName } from '../host/unit.ts';
import type { Settings } from '../settings/settings.ts';
import { type App, renewalParts } from './app.ts';

/** What the doctor looks at, with the real parts. */
export function openContext(app: App, settings: Settings): Context {
  const { issuer, directory, project, renewerContainer } = settings;
  const engine = connect(app.environment.DOCKER_HOST);
  const asksPublicCa = (issuer === 'acme' || issuer === 'certbot') && directory.public;
  let stack: ReturnType<Context['stack']> | undefined;
  return {
    ...app,
    settings,
    engine,
    renewal: renewalParts(app, settings, engine),
    stack: () => {
      stack ??= gatherStack({ ...app, engine }, settings);
      return stack;
    },
    unit: renewerContainer ? undefined : unitName(project),
    issuerDomains: asksPublicCa ? async () => (await readDirectory(directory.url)).caaIdentities : undefined,
  };
}
