using System.Text.RegularExpressions;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// A regular expression that is interpreted at first and compiled in the background once it is used often. Of the thousands of rules a program
/// meets a few hundred again and again: compiling all would cost seconds at the start, compiling none a factor of four later.
/// </summary>
internal sealed class TieredRegex(string expression, CompileQueue queue)
{
    private const int Often = 200;
    private volatile Regex? _regex;
    private int _uses;

    /// <summary>The expression in its present form.</summary>
    public Regex Value
    {
        get
        {
            var regex = _regex ??= new Regex(expression, RegexOptions.CultureInvariant);

            // Threads may lose a count to each other; the one that arrives at the mark compiles.
            if (_uses < Often && Interlocked.Increment(ref _uses) == Often)
            {
                queue.Add(this);
            }

            return regex;
        }
    }

    /// <summary>Builds the interpreted form, so that the first message to need it does not wait for that.</summary>
    public void Prepare() => _regex ??= new Regex(expression, RegexOptions.CultureInvariant);

    /// <summary>Replaces the interpreted form; takes some milliseconds.</summary>
    public void Compile() => _regex = new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled);
}
