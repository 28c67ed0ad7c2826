import { describe, expect, it } from 'vitest'
import { clientOf, Networks, plainAddress } from './client-address.ts'

describe('the client behind a proxy', () => {
  const proxies = new Networks(['10.0.0.0/8', '2001:db8:1::/48'])

  it.each([
    ['no header', '10.1.1.1', undefined, '10.1.1.1'],
    ['one hop', '10.1.1.1', '203.0.113.7', '203.0.113.7'],
    ['an address that the client invented', '10.1.1.1', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['two trusted proxies', '10.1.1.1', '203.0.113.7, 10.2.2.2', '203.0.113.7'],
    ['only trusted proxies', '10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['an untrusted peer', '198.51.100.9', '203.0.113.7', '198.51.100.9'],
    ['garbage', '10.1.1.1', 'unknown', '10.1.1.1'],
    ['garbage behind an address', '10.1.1.1', '203.0.113.7, _hidden', '10.1.1.1'],
    ['a port', '10.1.1.1', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6 with a port', '2001:db8:1::5', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
  ])('is the last untrusted address of X-Forwarded-For: %s', (_, peer, header, client) => {
    expect(proxies.clientBehind(peer, header)).toBe(client)
  })
})

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
])('an IPv4 address counts as one client, and so does an IPv6 /64: %s', (address, client) => {
  expect(clientOf(address)).toBe(client)
})

it.each([
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:db8::1', '2001:db8::1'],
])('plainAddress removes the zone and the IPv6 prefix of IPv4: %s', (address, plain) => {
  expect(plainAddress(address)).toBe(plain)
})
