using System.Text;
using PsyLite.DataPipeline;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.DataPipeline;

public sealed class AnswerJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static JournalEntry Entry(int n) => new($"key{n}", JournalState.Answered, $"答案{n}\n第二行 \"引号\" 😀", "stop", n, n * 2) { Reasoning = n % 2 == 0 ? "想" : "" };

    [Fact]
    public void What_was_added_is_found_again_by_another_run()
    {
        using (var journal = AnswerJournal.Open(_folder["j"]))
        {
            Parallel.For(0, 60, n =>
            {
                journal.Add(new JournalEntry($"key{n}", JournalState.Asked));
                journal.Add(Entry(n));
            });
            journal.Add(new JournalEntry("open", JournalState.Asked));
            journal.Add(new JournalEntry("no", JournalState.Refused));
            Assert.Contains("in use", Assert.Throws<InvalidDataException>(() => AnswerJournal.Open(_folder["j"])).Message);
        }

        using var again = AnswerJournal.Open(_folder["j"]);
        Assert.Equal((61, 0, 0, 0), (again.Settled, again.Repeated, again.Damaged, again.Torn));
        Assert.All(Enumerable.Range(0, 60), n => Assert.Equal(Entry(n), again.Find($"key{n}")));
        Assert.Equal(JournalState.Refused, again.Find("no")!.State);
        Assert.Null(again.Find("open"));
        again.Add(new JournalEntry("open", JournalState.Asked));
        again.Add(new JournalEntry("new", JournalState.Asked));
        Assert.Equal(1, again.Repeated);
    }

    [Fact]
    public void A_file_cut_anywhere_loses_the_torn_line_alone()
    {
        using (var journal = AnswerJournal.Open(_folder["j"]))
        {
            for (var n = 0; n < 5; n++)
            {
                journal.Add(Entry(n));
            }
        }

        var bytes = File.ReadAllBytes(_folder["j"]);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            File.WriteAllBytes(_folder["j"], bytes[..cut]);
            using var journal = AnswerJournal.Open(_folder["j"]);
            var whole = bytes[..cut].Count(b => b == '\n');
            Assert.Equal((whole, 0), (journal.Settled, journal.Damaged));
            journal.Add(Entry(9));
            Assert.Equal(Entry(9), journal.Find("key9"));
            Assert.Equal(whole > 0 ? Entry(whole - 1) : null, journal.Find($"key{whole - 1}"));
        }
    }

    [Fact]
    public void Damaged_lines_are_counted_and_never_believed()
    {
        using (var journal = AnswerJournal.Open(_folder["j"]))
        {
            for (var n = 0; n < 20; n++)
            {
                journal.Add(Entry(n));
            }
        }

        var random = new Random(8);
        var original = File.ReadAllBytes(_folder["j"]);
        var damaged = 0;
        for (var run = 0; run < 400; run++)
        {
            var bytes = original.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(_folder["j"], bytes);
            using var journal = AnswerJournal.Open(_folder["j"]);
            damaged += journal.Damaged;
            Assert.InRange(journal.Settled, 13, 20);
            Assert.All(Enumerable.Range(0, 20), n => Assert.True(journal.Find($"key{n}") is not { } found || found == Entry(n)));
        }

        Assert.True(damaged > 300);
        Assert.Null(AnswerJournal.Read(Encoding.UTF8.GetBytes("00000000 {}")));
    }
}
