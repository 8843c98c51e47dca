"""The commands of gan-advisor, a module for each subject."""
