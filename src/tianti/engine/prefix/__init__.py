"""The prefix tree of what is asked, the steps in which it is read, and their attention."""
