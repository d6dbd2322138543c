"""The markup of the page's tabs, one file each; `island` puts a script into a tab."""
