"""What operators may do over HTTP, with a key of scope `admin`: look after all accounts, their keys and their money."""
