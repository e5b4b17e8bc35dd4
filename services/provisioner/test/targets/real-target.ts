/** A real target, as tests of whatever holds for all connectors see it: besides the connector, with the eyes and hands of an administrator there. */
export interface RealTarget {
  connector: string;
  /** Who has to be the one with access, where the target knows people; unset: anybody. */
  holderId?: string;
  /** Where the connector reaches it; a proxy may stand in between. */
  port: number;
  /** Variables of a login, without the connector and the name. */
  login(port: number): Record<string, string>;
  /** What `reader` means, by way of a login. */
  config(login: string, port: number): Record<string, unknown>;
  /** Whether somebody gets in with what they were handed. */
  letsIn(credential: Record<string, unknown>): Promise<boolean>;
  /** When access ends by itself at the target; missing where it does not. */
  endOf?(key: string, credential: Record<string, unknown>): Promise<Date>;
  /** What is there for an access: nothing, or one of each that belong together. */
  objectsOf(key: string): Promise<string[]>;
  /** What is sent to it at certain moments; missing where nobody can read that on its way. */
  moments?: {
    /** Access is half made. */
    halfway: RegExp;
    /** The last of it is made. */
    given: RegExp;
    /** The last of it is taken away. */
    taken: RegExp;
  };
  /** Whether access may have been made when it is down, and when it breaks off half way; unset: that depends. */
  unsure?: { down: boolean; halfway: boolean };
  /** What others could say in its place that speak as it does. */
  strangers?: string[];
  /** Takes an access away by hand. */
  takeAway(key: string): Promise<void>;
  /** Makes something of an access that has ended, by hand. */
  leave(key: string): Promise<void>;
  /** Gives the same access to somebody by hand; answers what they are called there. */
  giveToOther(): Promise<string>;
  close(): Promise<void>;
}

/** In what strangers say: nothing of that is for people. */
export const strangeWord = 'hunter2';

/** What an HTTP server says that is not the one that was asked for. */
export const page = (type: 'html' | 'json' | 'xml', status = '200 OK'): string => {
  const body = { html: `<html>${strangeWord}</html>`, json: `{"${strangeWord}": true}`, xml: `<a>${strangeWord}</a>` }[type];
  return `HTTP/1.1 ${status}\r\ncontent-type: text/${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
};

/** What things of an access are called that are named by its key. */
export const plain = (key: string): string => key.replaceAll('-', '');

/** The variables of a login as they are in the environment. */
export const variablesOf = (prefix: string, name: string, login: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...login, TENANTS: 'acme' }).map(([field, value]) => [
      `CONNECTOR_${prefix}_${name.toUpperCase().replaceAll('-', '_')}_${field}`,
      value,
    ]),
  );

/** How the variables of a connector begin. */
export const prefixOf: Record<string, string> = {
  postgres: 'POSTGRES',
  s3: 'S3',
  kubernetes: 'KUBERNETES',
  'ssh-certificate': 'SSH',
  webhook: 'WEBHOOK',
  'keycloak-group': 'KEYCLOAK',
  opentofu: 'OPENTOFU',
};
