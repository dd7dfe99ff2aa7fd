namespace PsyLite.Training.Data.Records;

/// <summary>A record without what leads to a person.</summary>
public static class ScrubbedRecord
{
    /// <returns>The record, and how many places were replaced.</returns>
    public static (DataRecord Record, int Found) Of(DataRecord record)
    {
        var found = 0;
        SampleMessage Clean(SampleMessage message)
        {
            var (content, inContent) = PersonalData.Scrub(message.Content);
            var (reasoning, inReasoning) = message.Reasoning is { } text ? PersonalData.Scrub(text) : (null, 0);
            found += inContent + inReasoning;
            return inContent + inReasoning == 0 ? message : message with { Content = content, Reasoning = reasoning };
        }

        var messages = record.Messages.Select(Clean).ToList();
        var rejected = record.Rejected is { } other ? Clean(other) : null;
        return found == 0 ? (record, 0) : (record with { Messages = messages, Rejected = rejected }, found);
    }
}
