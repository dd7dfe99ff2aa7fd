using PsyLite.Agent.Prompts;
using PsyLite.Commands;
using PsyLite.Training.Data;

namespace PsyLite.Tests.Training.Data;

/// <summary>The text under corpora/ is whole, and what the composer makes of it is repeatable and well-formed.</summary>
public sealed class CorpusTests
{
    private static readonly string Folder = Path.Combine(ReferenceGraphTests.Root, "corpora");
    private static readonly TextCorpus Corpus = TextCorpus.Read(Folder);

    [Fact]
    public void There_are_at_least_forty_counselling_topics_with_several_situations_each()
    {
        var topics = Corpus.Files.Where(f => f.Kind == "dialogues").ToList();
        Assert.True(topics.Count >= 40, $"{topics.Count} topics");
        Assert.All(topics, t => Assert.True(t.Situations.Count >= 5, $"{t.Id} has {t.Situations.Count} situations"));
        Assert.Equal(topics.Count, topics.Select(t => t.Id).Distinct().Count());
    }

    [Fact]
    public void No_reply_is_written_twice_in_two_situations()
    {
        var replies = Corpus.Files.SelectMany(f => f.Situations).SelectMany(s => s.Explore.Concat(s.Insight).Concat(s.Action)).ToList();
        var doubled = replies.GroupBy(r => r).Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        Assert.True(replies.Count > 1000);
        Assert.Empty(doubled);
    }

    [Fact]
    public void Replies_are_short_ask_at_most_two_questions_and_give_no_numbers_to_call()
    {
        var replies = Corpus.Files.SelectMany(f => f.Situations.SelectMany(s => s.Explore.Concat(s.Insight).Concat(s.Action).Concat(s.Bye))
            .Concat(f.Groups.SelectMany(g => g.Reply.Concat(g.ThenReply))));
        foreach (var reply in replies)
        {
            Assert.True(reply.Length <= 160, reply);
            Assert.True(reply.Count(c => c == '？') <= 2, reply);
            Assert.DoesNotMatch(@"\d{4,}", reply);
            Assert.DoesNotContain("作为AI", reply);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_samples_and_another_seed_others()
    {
        var first = Composer(heldOut: false).Compose(3).Take(200).Select(s => s.ToJson()).ToList();
        Assert.Equal(first, Composer(heldOut: false).Compose(3).Take(200).Select(s => s.ToJson()));
        Assert.NotEqual(first, Composer(heldOut: false).Compose(4).Take(200).Select(s => s.ToJson()));
    }

    [Fact]
    public void Held_back_blocks_never_appear_in_training_samples()
    {
        var training = Composer(heldOut: false).Compose(1).Take(5000).Select(s => s.Source).ToHashSet();
        var heldBack = Composer(heldOut: true).Compose(1).Take(500).Select(s => s.Source).ToHashSet();
        Assert.True(heldBack.Count >= 5, $"{heldBack.Count} blocks held back");
        Assert.Empty(training.Intersect(heldBack));
    }

    [Fact]
    public void Every_sample_reasons_before_the_last_reply_only()
    {
        foreach (var sample in Composer(heldOut: false).Compose(7).Take(2000))
        {
            Assert.Equal("user", sample.Messages[0].Role);
            Assert.Equal("assistant", sample.Messages[^1].Role);
            Assert.All(sample.Messages.SkipLast(1), m => Assert.Null(m.Reasoning));
            if (sample.Kind == "judge")
            {
                Assert.Equal(PromptText.Judge, sample.Messages[^2].Content);
                Assert.Contains(sample.Messages[^1].Content, PromptText.JudgeLabels);
            }
            else
            {
                Assert.False(string.IsNullOrWhiteSpace(sample.Messages[^1].Reasoning));
            }
        }
    }

    [Fact]
    public void A_file_that_lacks_a_field_is_refused_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("psylite-corpus-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "dialogues"));
            File.WriteAllText(Path.Combine(folder, "dialogues", "bad.yaml"), "topic: t\nid: t\nsituations:\n  - id: s1\n    mood: low\n    open: [喂]\n");
            var error = Assert.Throws<InvalidDataException>(() => TextCorpus.Read(folder));
            Assert.Contains("bad.yaml", error.Message);
            Assert.Contains("s1 lacks think1", error.Message);
            File.WriteAllText(Path.Combine(folder, "dialogues", "bad.yaml"), "topic: [unclosed");
            Assert.Throws<InvalidDataException>(() => TextCorpus.Read(folder));
            Assert.Throws<InvalidDataException>(() => TextCorpus.Read(Path.Combine(folder, "nowhere")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Distinct_n_counts_n_grams_within_texts()
    {
        Assert.Equal((3, 4, 0.75), TextDiversity.DistinctN(["abab", "bb"], 2));
        Assert.Equal((0, 0, 0), TextDiversity.DistinctN(["a"], 2));
    }

    private static DialogueComposer Composer(bool heldOut) => new(Corpus, DataCommand.Prompts, heldOut);
}
