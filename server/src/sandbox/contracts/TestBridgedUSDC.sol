// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// A twin of the test dollar, as bridges make them: it looks like it to a payer and is another token.
contract TestBridgedUSDC is TestToken("Bridged Test USD Coin", "USDC.e", 0) {}
