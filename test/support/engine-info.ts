import type { EngineInfo } from '../../src/host/engine-info.ts';

/** An engine as any, without proxies. */
export const PLAIN_ENGINE: EngineInfo = {
  version: '28.0.0',
  rootless: false,
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  liveRestore: false,
  running: 0,
  insecure: [],
};
