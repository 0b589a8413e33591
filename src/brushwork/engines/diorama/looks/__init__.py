"""What is done to a picture when all of it is there: mood, style, unfinishedness. Works on display colours."""
