namespace PsyLite.Agent.Risk.Learned;

/// <summary>Receives the features of a text; a struct, so that reading and scoring compile into one loop.</summary>
internal interface IFeatureSink
{
    /// <summary>A feature at <paramref name="position"/> (index into the folded text), known by a 32-bit hash.</summary>
    void Add(int position, uint hash);
}

/// <summary>
/// Turns folded text into features: runs of one to three characters, concepts, and pairs and triples of concepts that stand close together. Stateless but for the lexicon; the model file depends on every constant here (<see cref="Version"/>).
/// </summary>
internal sealed class MessageFeatures(ConceptLexicon lexicon)
{
    /// <summary>Changes whenever the same text gives other features; a model file of another version is refused.</summary>
    public const int Version = 1;

    private const int LongestRun = 3;

    /// <summary>Concepts ahead that one is paired with, and how many characters ahead they may begin.</summary>
    private const int ConceptsAhead = 4;
    private const int ConceptReach = 14;

    /// <summary>A character repeated more often says no more ("哈哈哈哈哈哈").</summary>
    private const int MostRepeats = 3;
    private const char Edge = '\u0002';
    private const uint RunSeed = 0x811C9DC5;
    private const uint ConceptSeed = 0x27D4EB2F;
    private const uint ConceptPairSeed = 0x165667B1;
    private const uint ConceptTripleSeed = 0x9E3779B1;
    private const uint RuleSeed = 0x85EBCA6B;

    /// <summary>Longest text that is read, in characters.</summary>
    public const int LongestText = 16_384;

    /// <summary>Hash of the feature that a rule matched with this outcome; null when what stood around it excused it.</summary>
    public static uint Rule(string id, Tier? tier)
    {
        var hash = Mix(RuleSeed, tier is { } outcome ? (uint)outcome : uint.MaxValue);
        foreach (var c in id)
        {
            hash = Mix(hash, c);
        }

        return hash;
    }

    /// <summary>Reads <paramref name="text"/>, at most <see cref="LongestText"/> characters of it, into <paramref name="sink"/>.</summary>
    public void Read<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : struct, IFeatureSink
    {
        if (text.Length > LongestText)
        {
            text = text[..LongestText];
        }

        var size = text.Length + 2;
        var chars = size <= 512 ? stackalloc char[size] : new char[size];
        var places = size <= 512 ? stackalloc int[size] : new int[size];
        var count = Squeeze(text, chars, places);
        ReadCharacters(chars[..count], places[..count], ref sink);
        ReadConcepts(text, ref sink);
    }

    /// <summary>Copies the text between two edge marks, long repetitions shortened and digits alike; gives the number of characters.</summary>
    private static int Squeeze(ReadOnlySpan<char> text, Span<char> chars, Span<int> places)
    {
        chars[0] = Edge;
        places[0] = 0;
        var count = 1;
        var repeats = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = char.IsAsciiDigit(text[i]) ? '0' : text[i];
            repeats = c == chars[count - 1] ? repeats + 1 : 0;
            if (repeats < MostRepeats)
            {
                chars[count] = c;
                places[count++] = i;
            }
        }

        chars[count] = Edge;
        places[count] = Math.Max(0, text.Length - 1);
        return count + 1;
    }

    private static void ReadCharacters<TSink>(ReadOnlySpan<char> chars, ReadOnlySpan<int> places, ref TSink sink)
        where TSink : struct, IFeatureSink
    {
        for (var i = 0; i < chars.Length; i++)
        {
            var hash = RunSeed;
            var last = Math.Min(i + LongestRun, chars.Length);
            for (var k = i; k < last; k++)
            {
                hash = Mix(hash, chars[k]);
                sink.Add(places[i], hash);
            }
        }
    }

    private void ReadConcepts<TSink>(ReadOnlySpan<char> text, ref TSink sink)
        where TSink : struct, IFeatureSink
    {
        // The last few concept words before the present one.
        Span<int> starts = stackalloc int[ConceptsAhead];
        var found = 0;
        ReadOnlySpan<ushort> one = [], two = [], three = [], four = [];
        for (var at = 0; at < text.Length;)
        {
            var here = lexicon.Match(text, at, out var length);
            if (here.Length > 0)
            {
                foreach (var concept in here)
                {
                    sink.Add(at, Mix(ConceptSeed, concept));
                }

                Pair(one, here, starts, found, 1, at, ref sink);
                Pair(two, here, starts, found, 2, at, ref sink);
                Pair(three, here, starts, found, 3, at, ref sink);
                Pair(four, here, starts, found, 4, at, ref sink);
                if (found >= 2 && at - starts[(found - 2) % ConceptsAhead] <= ConceptReach)
                {
                    Triple(two, one, here, starts[(found - 2) % ConceptsAhead], ref sink);
                }

                four = three;
                three = two;
                two = one;
                one = here;
                starts[found++ % ConceptsAhead] = at;
            }

            at += length;
        }
    }

    private static void Pair<TSink>(
        ReadOnlySpan<ushort> before, ReadOnlySpan<ushort> here, ReadOnlySpan<int> starts, int found, int back, int at, ref TSink sink)
        where TSink : struct, IFeatureSink
    {
        if (before.Length == 0 || at - starts[(found - back) % ConceptsAhead] > ConceptReach)
        {
            return;
        }

        var start = starts[(found - back) % ConceptsAhead];
        foreach (var left in before)
        {
            var hash = Mix(ConceptPairSeed, left);
            foreach (var right in here)
            {
                sink.Add(start, Mix(hash, right));
            }
        }
    }

    private static void Triple<TSink>(ReadOnlySpan<ushort> first, ReadOnlySpan<ushort> second, ReadOnlySpan<ushort> third, int start, ref TSink sink)
        where TSink : struct, IFeatureSink
    {
        foreach (var a in first)
        {
            foreach (var b in second)
            {
                var hash = Mix(Mix(ConceptTripleSeed, a), b);
                foreach (var c in third)
                {
                    sink.Add(start, Mix(hash, c));
                }
            }
        }
    }

    private static uint Mix(uint hash, uint value)
    {
        hash = (hash ^ value) * 0x9E3779B1;
        return hash ^ (hash >> 15);
    }
}
