// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// An ERC-20 with six decimals that its owner can mint, and that may keep a part of what is moved.
abstract contract TestToken {
    string public name;
    string public symbol;
    uint8 public constant decimals = 6;

    address public immutable owner;
    /// Hundredths of a percent that every transfer loses on its way.
    uint256 public immutable feeBps;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error NotOwner();
    error ZeroAddress();
    error InsufficientBalance(uint256 balance, uint256 needed);
    error InsufficientAllowance(uint256 allowance, uint256 needed);

    /// The sender is the CREATE2 factory, which gives the token the same address on every
    /// development chain; whoever signed the deployment owns it.
    constructor(string memory name_, string memory symbol_, uint256 feeBps_) {
        name = name_;
        symbol = symbol_;
        feeBps = feeBps_;
        owner = tx.origin;
    }

    function mint(address to, uint256 value) external {
        if (msg.sender != owner) revert NotOwner();
        if (to == address(0)) revert ZeroAddress();
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        // An allowance of the largest number is without end, as every wallet expects.
        if (allowed != type(uint256).max) {
            if (allowed < value) revert InsufficientAllowance(allowed, value);
            allowance[from][msg.sender] = allowed - value;
        }
        _move(from, to, value);
        return true;
    }

    /// What arrives is what the log says, not what the caller asked for.
    function _move(address from, address to, uint256 value) private {
        if (to == address(0)) revert ZeroAddress();
        uint256 held = balanceOf[from];
        if (held < value) revert InsufficientBalance(held, value);
        uint256 fee = (value * feeBps) / 10_000;
        balanceOf[from] = held - value;
        balanceOf[to] += value - fee;
        emit Transfer(from, to, value - fee);
        if (fee == 0) return;
        balanceOf[owner] += fee;
        emit Transfer(from, owner, fee);
    }
}
