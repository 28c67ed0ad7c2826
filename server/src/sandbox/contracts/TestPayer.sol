// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface Token {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Pays for somebody else, as payroll contracts, exchanges and smart wallets do: the payment is not
/// in the transaction's own fields, only in what it does.
contract TestPayer {
    error LengthsDiffer();
    error Refused();

    /// Moves the sender's tokens to several receivers at once. The sender has approved it.
    function payTokens(Token token, address[] calldata to, uint256[] calldata values) external {
        if (to.length != values.length) revert LengthsDiffer();
        for (uint256 i = 0; i < to.length; i++) {
            if (!token.transferFrom(msg.sender, to[i], values[i])) revert Refused();
        }
    }

    /// Passes the coins that came with the call on: a transfer that leaves no log.
    function payCoins(address payable to) external payable {
        (bool done,) = to.call{value: msg.value}("");
        if (!done) revert Refused();
    }
}
