namespace PsyLite.Engine;

/// <summary>
/// How many threads work on a step of one kind while other programs keep the processor busy. llama.cpp's threads wait for each other by
/// spinning after every operation: when the system gives one core away, the others burn theirs, and two threads beside two busy programs
/// were measured to make a quarter of what one alone makes. So fewer threads are tried when steps take much longer than in calm times, and
/// now and then in any case; what is faster stays.
/// </summary>
/// <param name="most">Threads in calm times.</param>
/// <param name="startFewest">Whether one thread was found to be faster to begin with.</param>
internal sealed class ThreadPace(int most, bool startFewest = false)
{
    /// <summary>So many times the calm cost is trouble; less is a longer conversation or a passing hiccup.</summary>
    private const double Trouble = 1.6;
    private const int StepsToTrouble = 3;
    private const int StepsToTry = 3;

    /// <summary>Calm times are forgotten slowly, since the cost of a token grows with its conversation.</summary>
    private const double Forgetting = 1.002;

    /// <summary>Seconds of work after which another number is tried, doubled each time that it was in vain.</summary>
    private const double FirstRetry = 2;
    private const double LastRetry = 30;

    /// <summary>Most threads first.</summary>
    private readonly int[] candidates = Candidates(most);
    private readonly List<double> tried = [];
    private int current = startFewest ? Candidates(most).Length - 1 : 0;
    private double calm = double.PositiveInfinity;
    private double recent = double.NaN;
    private int size;
    private int slow;
    private double worked;
    private double retry = FirstRetry;
    private (int Candidate, double Cost)? best;

    /// <summary>Threads for the next step.</summary>
    public int Threads => candidates[current];

    public bool IsReduced => current > 0;

    /// <summary>A step is done.</summary>
    /// <param name="seconds">What it took.</param>
    /// <param name="tokens">What it computed; only steps of one size are compared.</param>
    public void Observe(double seconds, int tokens)
    {
        if (candidates.Length == 1)
        {
            return;
        }

        worked += seconds;
        if (tokens != size)
        {
            Forget(tokens);
        }
        else if (best is { } known)
        {
            Search(known, seconds);
        }
        else
        {
            Watch(seconds);
        }
    }

    private static int[] Candidates(int most) => [.. new[] { most, most * 3 / 4, most / 2, 1 }.Where(t => t >= 1).Distinct()];

    /// <summary>A search that has begun goes on from where it stood with steps of the new size.</summary>
    private void Forget(int tokens)
    {
        (size, calm, slow, recent) = (tokens, double.PositiveInfinity, 0, double.NaN);
        current = best?.Candidate ?? current;
        best = null;
        tried.Clear();
    }

    private void Watch(double seconds)
    {
        recent = double.IsNaN(recent) ? seconds : (recent + seconds) / 2;
        if (current == 0)
        {
            calm = Math.Min(calm * Forgetting, seconds);
            slow = seconds > Trouble * calm ? slow + 1 : 0;
        }

        if (slow >= StepsToTrouble || worked > retry)
        {
            best = (current, recent);
            current = current == 0 ? 1 : 0;
        }
    }

    /// <summary>Each number has a few steps, of which the middle one counts; fewer and fewer are tried for as long as that is better.</summary>
    private void Search((int Candidate, double Cost) known, double seconds)
    {
        tried.Add(seconds);
        if (tried.Count < StepsToTry)
        {
            return;
        }

        tried.Sort();
        var middle = tried[StepsToTry / 2];
        tried.Clear();
        var isBetter = middle < known.Cost;
        if (isBetter && current > 0 && current + 1 < candidates.Length)
        {
            best = (current++, middle);
            return;
        }

        current = isBetter ? current : known.Candidate;
        (best, slow, worked, recent) = (null, 0, 0, double.NaN);
        retry = isBetter ? FirstRetry : Math.Min(2 * retry, LastRetry);
    }
}
