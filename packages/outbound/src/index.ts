export { checkedAddresses, ForbiddenAddress, type Lookup, type Network, parseNetwork } from './checked-addresses.ts';
export { NotSent, type Posted, type PostOptions, post } from './post.ts';
