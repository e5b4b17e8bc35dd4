// The package declares types for its Express middleware only.
declare module 'keycloak-connect/middleware/auth-utils/grant.js' {
  import type Token from 'keycloak-connect/middleware/auth-utils/token.js';

  export default class Grant {
    constructor(parts: { access_token?: Token; refresh_token?: Token });
    /** The answer of the token endpoint, as text. */
    __raw: string;
  }
}

declare module 'keycloak-connect/middleware/auth-utils/token.js' {
  export default class Token {
    constructor(token: string, clientId?: string);
  }
}

declare module 'keycloak-connect/middleware/auth-utils/grant-manager.js' {
  import type Grant from 'keycloak-connect/middleware/auth-utils/grant.js';

  export default class GrantManager {
    constructor(config: {
      realmUrl: string;
      clientId: string;
      secret: string;
      public: boolean;
      bearerOnly: boolean;
      [more: string]: unknown;
    });
    obtainDirectly(username: string, password: string, callback: undefined, scope: string): Promise<Grant>;
    obtainFromClientCredentials(callback: undefined, scope: string): Promise<Grant>;
    ensureFreshness(grant: Grant): Promise<Grant>;
    validateGrant(grant: Grant): Promise<Grant>;
  }
}
