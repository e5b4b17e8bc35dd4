import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, requestFields, Suite, Tenant } from './suite.ts';

describe('filing a request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
  });
  afterAll(() => suite.stop());

  test('when the resource needs one approval, then the request waits with that plan', async () => {
    const resource = await tenant.resource(await tenant.type());
    const request = await suite.client.submitRequest(requestFields(resource), requester);
    expect(request).toMatchObject({
      status: 'PENDING',
      requiredApprovals: 1,
      requesterId: requester.id,
      resourceId: resource.id,
      role: 'reader',
      duration: 'PT2H',
      jobId: '',
      grantId: '',
      version: 1,
    });
    expect(await suite.client.getRequest({ id: request.id }, requester)).toEqual(request);
    expect(await suite.actionsOf(request.id)).toEqual(['REQUEST_CREATED']);
  });
});
