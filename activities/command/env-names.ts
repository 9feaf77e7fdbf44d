/**
 * Names of variables that control a loader, an interpreter, a shell or a common program: they can make an allowed program run other code.
 * This list can never be complete, so `SLUICE_COMMANDS` can restrict a program to named variables.
 */
const STEERING: readonly RegExp[] = [
  // The system: loader, C library, shells, user and home directories.
  /^(LD|DYLD|GCONV|GLIBC|MALLOC|RES|SUDO|SYSTEMD|XDG|DBUS|ASAN|LSAN|TSAN|UBSAN|VALGRIND|QT|GTK|GST|VK)_/,
  /^(HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TMP|TEMP|TERM|TERMINFO|TERMCAP|HOSTALIASES|LOCALDOMAIN|ENV|IFS|PS\d|PROMPT_COMMAND|BROWSER)$/,
  /^(SHELLOPTS|BASH|ZSH|KSH|FISH|ZDOT)/,
  // Interpreters and their package managers.
  /^(PYTHON|PY_|PYENV|PIP_|UV_|CONDA|VIRTUAL_ENV|POETRY|NODE|NPM_|YARN|PNPM|BUN_|DENO|TSX_|TS_NODE|JAVA|JDK|JVM|MAVEN|GRADLE|SBT)/,
  /^(PERL|RUBY|GEM_|BUNDLE|PHP|LUA|R_|RENV|JULIA|GO[A-Z]|RUST|CARGO|DOTNET|CORECLR|COMPLUS|MONO|ERL_|ELIXIR|GHC|OCAML|TCL|GUILE|SBCL|ICU_)/,
  // Programs that scripts call, and their credentials.
  /^(GIT|SSH|SVN|HG|CVS|RSYNC|CURL|WGET|TAR|GZIP|ZIP|LESS|MAN|GREP|MAKE|MFLAGS|CC|CXX|AR|LD|AS|CPP)(_|$|OPEN|CLOSE|FLAGS|FILES)/,
  /^(AWS|GOOGLE|GCLOUD|CLOUDSDK|AZURE|KUBE|DOCKER|VAULT|SSL|OPENSSL|GNUTLS|KRB5|PG|MYSQL|ODBC|ORACLE|TNS)/,
  /^(SPARK|PYSPARK|HADOOP|HIVE|HDFS|SCALA)/,
  // Sluice's own variables, which identify the run that a program works for.
  /^(SLUICE|TEMPORAL)_/,
  // Common patterns in any program.
  /^[A-Z0-9]*PATH$|(LIBRARY|LIB|PLUGIN|LAYER|MODULE|LOAD|INJECTION\d*)_PATH$|PRELOAD|OPTIONS$|_OPTS?$|FLAGS$|STARTUP|_INIT$|_RC$|_PROXY$/,
  /(LIB|LIBS|LIBRARY|LIBRARIES)$|(DRIVER|CACHE|CONF|CONFIG|PLUGIN|EXTENSION|MODULE|LIB)S?_?(PATH|DIR|FILE)S?$|^(TZDIR|DISPLAY|LOCPATH|NLSPATH)$/,
  /ASKPASS|KEYLOG|PAGER$|EDITOR$|VISUAL$|WARNINGS$|_HOME$|_SHELL$|_RSH$|_CA_BUNDLE|_WRAPPER$/,
];

/** The reason why a task may not set a variable for any program; undefined if it may. */
export function refusedName(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return 'a name has letters, digits and _, and begins with a letter';
  const upper = name.toUpperCase();
  return STEERING.some((each) => each.test(upper)) ? 'it can make a program load or run something else' : undefined;
}
