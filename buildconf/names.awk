# SPDX-License-Identifier: MIT
# names.awk: core/settings/uwsgi_names.txt as the rows of a table in C.

function quote(s) {
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}

function print_row() {
	if (status)
		printf "{ SUBJECT_%s, %s, %s, %s, %s },\n", toupper(status), \
			title ? quote(title) : "NULL", quote(text), quote(options), \
			plugins ? quote(plugins) : "NULL"
}

function join(list) {
	return list ? list " " $0 : $0
}

/^#/ { next }

/^[a-z]/ {
	print_row()
	status = $1
	title = options = plugins = ""
	of_plugins = 0
	text = substr($0, length(status) + 2)
	if (status == "planned") {
		title = substr(text, 1, index(text, ":") - 1)
		text = substr(text, length(title) + 3)
	}
}

/^\t/ {
	sub(/^\t+/, "")
	if (sub(/^plugins: /, ""))
		of_plugins = 1
	if (of_plugins)
		plugins = join(plugins)
	else
		options = join(options)
}

END { print_row() }
