// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// A token that keeps one percent of everything that is moved.
contract TestToll is TestToken("Test Toll", "TOLL", 100) {}
