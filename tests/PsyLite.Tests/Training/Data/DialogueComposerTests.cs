using PsyLite.Commands;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;

namespace PsyLite.Tests.Training.Data;

public sealed class DialogueComposerTests
{
    private static readonly TextCorpus Corpus = TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora"));

    private static List<TrainingSample> Compose(double change, bool heldOut = false, int seed = 5) =>
        [.. new DialogueComposer(Corpus, DataCommand.Prompts, heldOut, new SampleMix(0.1, 0.2, change)).Compose(seed).Take(2000)];

    [Fact]
    public void The_subject_changes_in_the_share_that_was_asked_for_and_only_before_the_newest_words()
    {
        var plain = Compose(change: 0);
        var changed = Compose(change: 1);
        Assert.All(changed, s =>
        {
            Assert.True(s.Messages.Count >= 4);
            Assert.All(s.Messages.SkipLast(1), m => Assert.Null(m.Reasoning));
            var talk = s.Messages.Where(m => m.Role != "system").ToList();
            Assert.All(Enumerable.Range(0, talk.Count), i => Assert.Equal(i % 2 == 0 ? "user" : "assistant", talk[i].Role));
        });
        Assert.InRange(changed.Average(s => s.Messages.Count) - plain.Average(s => s.Messages.Count), 2, 5);
        var some = Compose(change: 0.3);
        Assert.InRange((some.Average(s => s.Messages.Count) - plain.Average(s => s.Messages.Count)) / (changed.Average(s => s.Messages.Count) - plain.Average(s => s.Messages.Count)), 0.2, 0.4);
    }

    [Fact]
    public void An_earlier_subject_never_brings_held_back_text_into_training()
    {
        var openings = Corpus.Files.Where(f => f.Kind == "dialogues").SelectMany(f => f.Situations.Select(s => (Held: DialogueComposer.IsHeldOut($"dialogues/{f.Id}/{s.Id}"), s.Explore))).ToList();
        var held = openings.Where(o => o.Held).SelectMany(o => o.Explore).ToHashSet();
        Assert.NotEmpty(held);
        Assert.DoesNotContain(Compose(0.5).SelectMany(s => s.Messages), m => held.Contains(m.Content));
        Assert.Contains(Compose(0.5, heldOut: true).SelectMany(s => s.Messages), m => held.Contains(m.Content));
    }

    [Fact]
    public void Talks_that_change_their_subject_are_told_as_they_stand()
    {
        var talks = Corpus.Files.Where(f => f.Kind == "turns").SelectMany(f => f.Talks).ToList();
        Assert.Equal(150, talks.Count);
        var told = Compose(0).Where(s => s.Source.StartsWith("turns/", StringComparison.Ordinal) && s.Kind == "turns").ToList();
        Assert.NotEmpty(told);
        Assert.All(told, s =>
        {
            var talk = talks.Single(t => s.Source == $"turns/subject-changes/{t.Id}");
            Assert.Equal([.. talk.Said, talk.Reply], s.Messages.Select(m => m.Content));
            Assert.StartsWith($"话题：{talk.Gist}；", s.Messages[^1].Reasoning);
            Assert.EndsWith(talk.Think, s.Messages[^1].Reasoning);
        });
    }

    [Theory]
    [InlineData("said: [你好, 你好]", "must end with the person's words")]
    [InlineData("said: []", "lacks said")]
    [InlineData("said: [你好]\n    mood: odd", "must be low, neutral or happy")]
    public void A_talk_that_cannot_be_used_is_named(string wrong, string fault)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["turns"]);
        File.WriteAllText(Path.Combine(folder["turns"], "a.yaml"), $"topic: x\nid: x\ntalks:\n  - id: t1\n    gist: 闲聊\n    {wrong}\n    think: 想\n    reply: 好\n");
        var refusal = Assert.Throws<InvalidDataException>(() => TextCorpus.Read(folder[""]));
        Assert.Contains("t1", refusal.Message);
        Assert.Contains(fault, refusal.Message);
    }
}
