import type { ProxyMachine } from '../host/engine-proxy.ts';
import { engineNetworks, lastingAddresses } from '../host/lasting-addresses.ts';
import { Made } from '../host/made.ts';
import { type EngineProxies, engineProxies } from '../host/proxy-drop-in.ts';
import type { Settings } from '../settings/settings.ts';
import { type App, openHost } from './app.ts';

export function openProxyMachine(app: App): ProxyMachine {
  const { run, clock, root } = openHost(app);
  const places = { units: '/etc/systemd/system', runtime: '/run', processes: '/proc' };
  return { run, clock, root, made: new Made(app.paths.made), ...places };
}

/** The proxies that the settings name for the engine, and all that it reaches without them. */
export async function wantedProxies({ run }: App, settings: Settings): Promise<EngineProxies | undefined> {
  const { names, mirror, proxy } = settings;
  const ofMirror = mirror?.domain === undefined ? [] : [mirror.domain];
  return engineProxies(proxy, {
    names: [...names, ...ofMirror],
    addresses: await lastingAddresses(),
    networks: await engineNetworks(run),
  });
}
