import { socketOf } from '../engine/address.ts';
import type { ServiceManager } from '../host/install-unit.ts';
import { lastChange } from '../host/last-change.ts';
import type { UnitWishes } from '../host/unit-facts.ts';
import type { Settings } from '../settings/settings.ts';
import { type App, openHost } from './app.ts';

/** Variables that a service needs and `.env` does not hold. */
const HANDED_ON = ['DOCKER_HOST', 'NODE_EXTRA_CA_CERTS'] as const;

export function openServiceManager(app: App): ServiceManager {
  const { run, clock, root } = openHost(app);
  return { run, clock, root, units: '/etc/systemd/system', runtime: '/run', lastChange };
}

/** The unit that does the renewer's work where the stack has none (RENEWER_REPLICAS=0). */
export function unitOfHost(app: App, settings: Settings): UnitWishes | undefined {
  return settings.renewerContainer ? undefined : unitWishes(app, settings);
}

/** What a unit of this checkout is to do. */
export function unitWishes({ paths, environment }: App, settings: Settings): UnitWishes {
  const { issuer, acmeTrust, dnsHook, provided, project, storage, registryDataDirectory } = settings;
  const variables = HANDED_ON.map((name) => [name, environment[name]] as const);
  const bucketTrust = storage.kind === 's3' ? storage.trust : undefined;
  const files = [acmeTrust, dnsHook?.program, dnsHook?.envFile, provided?.certificate, provided?.key];
  const reads = [...files, bucketTrust];
  return {
    project,
    checkout: paths.root,
    state: paths.state,
    node: process.execPath,
    socket: socketOf(environment.DOCKER_HOST),
    needsEngine: issuer === 'certbot',
    reads: [...reads, environment.NODE_EXTRA_CA_CERTS].filter((path) => path !== undefined),
    // Tags are removed there by retention.yaml, and their disk is looked at.
    writes: storage.kind === 'filesystem' ? [registryDataDirectory] : [],
    environment: Object.fromEntries(
      variables.filter((pair): pair is [(typeof pair)[0], string] => !!pair[1]),
    ),
  };
}
