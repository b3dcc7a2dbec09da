# Turns the numbered migration files, given in order, into one C array of strings.
function close_file() { if (open_file) print "    ," }
BEGIN { print "extern const char *const nv_migrations[];\nextern const int nv_migration_count;\nconst char *const nv_migrations[] = {" }
FNR == 1 { close_file(); open_file = 1; files++ }
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "    \"" $0 "\\n\"" }
END { close_file(); print "};\nconst int nv_migration_count = " files ";" }
